select
  id,
  sum(amount) over (partition by shop order by day) as running,
  row_number() over w as position,
  lag(amount, 1) over w as before,
  max(amount) over (partition by shop order by day rows between 1 following and unbounded following) as later
from {{ ref('sales') }}
window w as (partition by shop order by day, id)
