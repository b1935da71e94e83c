select
    flight_id,
    carrier,
    distance,
    sched_dep_ts,
    arr_delay > 15 as is_late
from {{ source('raw', 'flights') }}
