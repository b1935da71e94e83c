select len(carrier) as n,
  uper(carrier) as loud,
  generate_series(1, 3) as numbers
from {{ ref('flights') }}
