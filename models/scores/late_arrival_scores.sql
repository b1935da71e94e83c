-- The product: each flight of the last week, how likely it is to be late, and what became of it.
select
    flight_id,
    sched_dep_ts,
    carrier,
    origin,
    dest,
    probability,
    predicted_is_late,
    is_late
from {{ predict('late_arrival', ref('last_week_flights')) }}
