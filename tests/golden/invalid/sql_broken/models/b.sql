select flight_id
from {{ source('raw', 'flights') }}
where carrier = 'AA
