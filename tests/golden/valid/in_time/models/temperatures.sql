with flown as (select id, origin, dep from {{ ref('flights') }})
select flown.id, weather.temp
from flown
left join {{ asof_join(
    rows='flown', row_key='id', key='origin', at='dep', events=ref('weather'), known_at='observed',
    columns=['temp'], within='3 hours') }} as weather using (id)
