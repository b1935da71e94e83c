select id, upper(letter) as letter
from {{ ref('letters') }}
