-- One row per flight: what was known when it was scheduled to leave, and nothing that became known later.
with carrier as (

    select * from {{ known_window(
        rows=ref('stg_flights'), row_key='flight_id', key='carrier', at='sched_dep_ts',
        events=ref('stg_flights'), known_at=var('known_by'), within={'6h': '6 hours', '7d': '7 days'},
        aggregates={
            'carrier_delay': 'avg(arr_delay)',
            'carrier_late': 'avg(cast(is_late as int))',
        }) }}

),

origin as (

    select * from {{ known_window(
        rows=ref('stg_flights'), row_key='flight_id', key='origin', at='sched_dep_ts',
        events=ref('stg_flights'), known_at=var('known_by'), within={'3h': '3 hours'},
        aggregates={
            'origin_delay': 'avg(arr_delay)',
            'origin_landed': 'count(*)',
        }) }}

),

route as (

    select * from {{ known_window(
        rows=ref('stg_flights'), row_key='flight_id', key=['origin', 'dest'], at='sched_dep_ts',
        events=ref('stg_flights'), known_at=var('known_by'), within={'1d': '1 day', '30d': '30 days'},
        aggregates={
            'route_delay': 'avg(arr_delay)',
            'route_late': 'avg(cast(is_late as int))',
        }) }}

),

aircraft as (

    select * from {{ known_window(
        rows=ref('stg_flights'), row_key='flight_id', key='tail_number', at='sched_dep_ts',
        events=ref('stg_flights'), known_at=var('known_by'), within={'1d': '1 day', '7d': '7 days'},
        aggregates={
            'aircraft_flights': 'count(*)',
            'aircraft_delay': 'avg(arr_delay)',
        }) }}

),

weather as (

    select * from {{ asof_join(
        rows=ref('stg_flights'), row_key='flight_id', key='origin', at='sched_dep_ts',
        events=ref('stg_weather'), known_at='observed_at',
        columns=['temperature', 'dew_point', 'humidity', 'wind_speed', 'wind_gust',
                 'precipitation', 'pressure', 'visibility']) }}

)

select
    flights.flight_id,
    flights.sched_dep_ts,
    flights.tail_number,

    flights.carrier,
    flights.origin,
    flights.dest,
    flights.miles,
    flights.month,
    flights.day_of_week,
    flights.dep_hour,
    timestampdiff(minute, flights.sched_dep_ts, flights.sched_arr_ts) as sched_minutes,

    planes.manufacturer,
    planes.seats,
    year(flights.sched_dep_ts) - planes.built_in as plane_age,

    weather.* except (flight_id),
    carrier.* except (flight_id),
    origin.* except (flight_id),
    route.* except (flight_id),
    aircraft.* except (flight_id),

    {% if var('careless') == 'dep_delay' -%}
    flights.dep_delay,
    {% endif -%}
    -- the labels: what the models learn, and never a feature
    flights.is_late,
    flights.arr_delay
from {{ ref('stg_flights') }} as flights
left join {{ ref('stg_planes') }} as planes using (tail_number)
left join weather using (flight_id)
left join carrier using (flight_id)
left join origin using (flight_id)
left join route using (flight_id)
left join aircraft using (flight_id)
