select upper() as a, round(delay, 1, 2) as b, ntile(1, 2) over (order by delay) as c,
    char(1, 2) as d, substring(carrier) as e, upper(carrier) as f
from {{ ref('flights') }}
