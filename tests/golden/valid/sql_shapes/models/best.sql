select id
from {{ ref('sales') }} as sales
where amount = (select max(amount) from {{ ref('sales') }} as others where others.shop = sales.shop)
