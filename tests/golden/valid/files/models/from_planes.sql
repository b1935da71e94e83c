select tail, seats, engine.kind as engine_kind, engine.count * 2 as doubled
from {{ source('raw', 'planes') }}
