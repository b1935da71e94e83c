select flight_id, upper(carrier) as carrier, cast(distance as string) as distance
from {{ source('raw', 'flights') }}
