select carrier, count(*), max(distance) as `max.distance`
from {{ source('raw', 'flights') }}
group by carrier
