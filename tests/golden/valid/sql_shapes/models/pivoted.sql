select *
from (select shop, day, amount from {{ ref('sales') }})
pivot (sum(amount) for day in (1 as d1, 2 as d2, 3 as d3))
