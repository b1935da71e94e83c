-- Aircraft by the number on their tail.
select
    tailnum as tail_number,
    manufacturer,
    cast(year as int) as built_in,
    seats,
    engine
from {{ ref('planes') }}
