select *
from {{ ref('letters' }}
