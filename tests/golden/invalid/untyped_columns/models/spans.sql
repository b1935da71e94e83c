select id, make_interval(0, 1, 0, id) as span, interval 1 day * id as days from {{ ref('rows') }}
