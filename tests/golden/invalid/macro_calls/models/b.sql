select
  {{ safe('id', 2, 3) }} as x
from {{ ref('letters') }}
