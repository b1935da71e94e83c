-- The unit of everything: one row per scheduled flight, what was known at departure and what only its arrival told.
-- A table, because ten windows read it and the time zones are slow to compute.
{{ config(materialized='table') }}

with timetable as (

    select
        flights.*,
        -- time_hour is the scheduled hour of departure, already in UTC
        time_hour + make_dt_interval(0, 0, minute) as sched_dep_ts,
        airports.time_zone as dest_zone
    from {{ source('raw', 'flights') }} as flights
    left join {{ ref('stg_airports') }} as airports on airports.airport = flights.dest

),

clocked as (

    select
        *,
        {{ first_clock_after('sched_dep_ts', 'sched_arr_time', 'dest_zone') }} as sched_arr_ts
    from timetable

)

select
    -- the airlines' own name for a flight; the data has no number for it
    concat_ws('-', make_date(year, month, day), carrier, flight, origin, lpad(sched_dep_time, 4, '0')) as flight_id,
    carrier,
    flight as flight_number,
    tailnum as tail_number,
    origin,
    dest,
    distance as miles,
    sched_dep_ts,
    sched_arr_ts,
    month,
    dayofweek(make_date(year, month, day)) as day_of_week,
    hour as dep_hour,

    dep_delay,
    arr_delay,
    air_time,
    arr_delay > 15 as is_late,
    -- null if the flight was cancelled or diverted: then its delay was never known
    sched_arr_ts + make_dt_interval(0, 0, arr_delay) as arr_ts
from clocked
