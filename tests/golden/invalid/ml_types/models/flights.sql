select *, delay > 15 as is_late, dayofweek(sched_dep_ts) in (1, 7) as is_weekend, map('miles', distance) as facts,
  date(sched_dep_ts) as day
from {{ source('raw', 'flights') }}
