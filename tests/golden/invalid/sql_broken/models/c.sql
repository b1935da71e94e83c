select (distance + 1 as miles
from {{ source('raw', 'flights') }}
