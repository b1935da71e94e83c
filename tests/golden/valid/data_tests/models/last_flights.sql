select carrier, max(flight_id) as flight_id
from {{ ref('stg_flights') }}
group by carrier
