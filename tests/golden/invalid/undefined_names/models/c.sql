select *
from {{ ref('letters') }}
where id > {{ var('first_id') }}
