select carrier, departed, count(*) as n, sum(avg(delay)) as twice
from {{ ref('flights') }}
where max(delay) > 10
group by carrier
order by row_number()
