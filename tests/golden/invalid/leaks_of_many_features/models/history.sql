select
    flight.flight_id,
    avg(other.arr_delay) as mean_delay,
    max(other.arr_delay) as worst_delay,
    sum(case when other.arr_ts < flight.booked_ts then other.arr_delay end) as delay_at_booking
from {{ ref('stg_flights') }} as flight
left join {{ ref('stg_flights') }} as other on other.carrier = flight.carrier and other.dep_ts < flight.dep_ts
group by flight.flight_id
