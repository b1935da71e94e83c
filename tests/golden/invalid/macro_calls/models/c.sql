select {{ broken() }} as x
from {{ ref('letters') }}
