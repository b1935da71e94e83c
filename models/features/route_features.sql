-- One row per route: how far, how often, how reliably. Before the last week, like everything we learn from.
select
    origin,
    dest,
    min(miles) as miles,
    count(*) as flights,
    count(distinct carrier) as carriers,
    avg(arr_delay) as mean_delay,
    avg(cast(is_late as int)) as late_share,
    avg(cast(arr_ts is null as int)) as failed_share
from {{ ref('stg_flights') }}
where sched_dep_ts < timestamp '{{ var("last_week") }}'
group by origin, dest
-- a handful of flights says little about a route
having count(arr_delay) >= 20
