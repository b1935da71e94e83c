select shop, count(*) as pairs
from {{ ref('sales') }} as one
join {{ ref('sales') }} as other using (shop)
where one.id < other.id
group by shop
