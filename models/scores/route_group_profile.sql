-- What the groups of routes have in common, in words an analyst can use.
select
    cluster as route_group,
    count(*) as routes,
    sum(flights) as flights,
    round(avg(miles)) as mean_miles,
    round(avg(mean_delay), 1) as mean_delay,
    round(avg(late_share), 3) as late_share,
    min_by(concat(origin, '-', dest), named_struct('d', distance, 'r', concat(origin, '-', dest))) as typical_route
from {{ predict('route_groups', ref('route_features')) }}
group by cluster
