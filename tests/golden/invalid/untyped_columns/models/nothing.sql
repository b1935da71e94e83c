select
  id,
  null as nothing
from {{ ref('rows') }}
