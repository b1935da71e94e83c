with totals as (
  select customer, sum(amount) as total, min(placed_on) as first_on
  from {{ ref('paid') }}
  group by customer
),
ranked as (
  select totals.*, rank() over (order by total desc) as place from totals
)
select ranked.customer, total, first_on, place, n_large
from ranked
left join (
  select customer, count(*) as n_large from {{ ref('large') }} group by 1
) as large on large.customer = ranked.customer
