select
    flight.flight_id,
    flight.carrier,
    flight.dep_ts,
    flight.is_late,
    flight.arr_delay as minutes,
    case when flight.status = 'late' then 1 else 0 end as was_late,
    flight.arr_delay / 60 as hours,
    history.mean_delay,
    history.worst_delay,
    history.worst_delay - history.mean_delay as spread,
    history.delay_at_booking,
    flight.miles,
    flight.miles / 100 as hundreds_of_miles,
    sum(1) over (partition by flight.carrier) as flights,
    count(*) over (partition by flight.carrier order by flight.miles) as shorter_flights,
    avg(flight.miles) over (partition by flight.status order by flight.dep_ts) as miles_so_far,
    lag(flight.miles) over (partition by flight.status order by flight.dep_ts) as miles_before
from {{ ref('stg_flights') }} as flight
left join {{ ref('history') }} as history using (flight_id)
