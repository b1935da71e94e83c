-- Hourly observations at the three New York airports.
select
    origin,
    time_hour as observed_at,
    temp as temperature,
    dewp as dew_point,
    humid as humidity,
    wind_speed,
    wind_gust,
    precip as precipitation,
    pressure,
    visib as visibility
from {{ source('raw', 'weather') }}
