select id, tag, position
from {{ ref('sales') }}
lateral view posexplode(split(tags, '[|]')) as position, tag
