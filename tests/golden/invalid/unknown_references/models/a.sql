select *
from {{ ref('leters') }}
join {{ ref('flights') }} using (id)
