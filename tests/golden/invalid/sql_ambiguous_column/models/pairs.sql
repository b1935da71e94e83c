select f.flight_id, carrier
from {{ source('raw', 'flights') }} as f
join {{ source('raw', 'flights') }} as g on f.dest = g.origin
