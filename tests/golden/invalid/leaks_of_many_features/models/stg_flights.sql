select *, arr_delay > 15 and miles > 100 as is_late
from {{ source('raw', 'flights') }}
where status <> 'diverted'
