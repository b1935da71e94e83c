select f.*, g.distance, upper(f.carrier) as Carrier
from {{ source('raw', 'flights') }} as f
join {{ source('raw', 'flights') }} as g on g.flight_id = f.flight_id
