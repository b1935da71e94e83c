{{ config(materialized='table') }}
select colours.code, colours.share, colours.is_warm, shapes.shape, sizes.size
from {{ ref('colours') }} as colours
left join {{ ref('shapes') }} as shapes on shapes.code = colours.code
left join {{ ref('sizes') }} as sizes on sizes.code = colours.code
