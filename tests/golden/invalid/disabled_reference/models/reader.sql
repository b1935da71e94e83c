select *
from {{ ref('off') }}
