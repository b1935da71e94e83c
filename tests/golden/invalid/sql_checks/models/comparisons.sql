select id,
  departed > delay as is_odd,
  carrier + landed as sum,
  case when delay then 'late' else 'on time' end as state,
  coalesce(departed, delay) as either
from {{ ref('flights') }}
where carrier in (1, date '2024-01-01')
