select sales.id, t.tag
from {{ ref('sales') }} as sales
lateral view outer explode(split(sales.tags, '[|]')) t as tag
