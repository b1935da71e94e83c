select flight_id, carrier, cast(delay as double) as delay
from {{ source('raw', 'flights') }}
