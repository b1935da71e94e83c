select
    flight_id,
    {{ minutes('dep_delay') }} as delay, {{ minutes('arr_delay') }} as arr, dep_dealy as raw_delay
from {{ source('raw', 'flights') }}
