select shop, max_by(id, day) as last_id, count(*) filter (where amount > 5) as large, sum(amount) / count(*) as mean
from {{ ref('sales') }}
group by all
having sum(amount) > 0
