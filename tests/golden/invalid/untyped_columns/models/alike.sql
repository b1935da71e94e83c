select * from (select id, x, y from {{ ref('rows') }})
pivot (sum(x) for y in (true as yes, false as YES))
