select id,
  datediff(departed) as days
from {{ ref('flights') }}
