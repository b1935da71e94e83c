select
    flight_id,
    dep_ts,
    carrier,
    abs(dep_delay) as dep_delay,
    avg(arr_delay) over (partition by carrier order by dep_ts) as carrier_delay,
    avg(arr_delay) over (partition by carrier order by dep_ts) as carrier_delay_2,
    arr_delay > 15 as is_late
from {{ ref('stg_flights') }}
