select day, {{ ratio('web', 'web + app') }} as web_share
from {{ ref('by_day') }}
