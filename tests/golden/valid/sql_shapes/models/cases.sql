select
  id,
  case when amount >= 10 then 'much' when tags is null then 'nothing' else 'little' end as word,
  amount div 3 as thirds,
  `day` <=> 1 as is_first,
  date '2024-02-28' + make_interval(0, 0, 0, day) as at,
  try_cast(shop as int) as number
from {{ ref('sales') }} -- the end; not a statement's
