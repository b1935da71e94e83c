select flight_id,, carrier
from {{ source('raw', 'flights') }}
