{{ config(materialized='view') }}
select customer, total - 5 as rest
from {{ ref('per_customer') }} as best
where exists (select 1 from {{ ref('large') }} as large where large.customer = best.customer)
  and best.total > (select avg(total) from {{ ref('per_customer') }})
