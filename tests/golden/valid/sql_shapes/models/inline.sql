select names.shop, name, next
from values ('a', 'Alpha'), ('b', 'Beta') as names (shop, name)
join {{ ref('sales') }} as sales on sales.shop = names.shop
cross join lateral (select sales.amount + 1 as next)
where sales.id in (1, 3)
