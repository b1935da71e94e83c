-- two mistakes here, and one below
select
    flight_id,
    distanse as miles,
    f.carier
from {{ source('raw', 'flights') }} as f
