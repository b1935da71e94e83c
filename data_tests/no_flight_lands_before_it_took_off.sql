-- Arrival times are computed across time zones and midnights, where mistakes are whole hours: the time that is left
-- between departure, flight and arrival, taxiing, must then be negative or absurdly long.
select flight_id, dep_delay, air_time, arr_ts
from {{ ref('stg_flights') }}
where timestampdiff(minute, sched_dep_ts, arr_ts) - dep_delay - air_time not between 0 and 300
