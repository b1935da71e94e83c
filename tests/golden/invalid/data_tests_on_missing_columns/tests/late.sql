select * from {{ ref('features') }} where arr_delay > 600
