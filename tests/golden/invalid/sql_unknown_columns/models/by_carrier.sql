with late as (

    select carrier, miles from {{ ref('stg_flights') }} where delay > 15

)

select carrier, avg(milles) as miles
from late
group by carrier
