(select customer from {{ ref('stg_orders') }} except select customer from {{ ref('large') }})
union all
(select upper(customer) from {{ ref('stg_orders') }} intersect select 'ANN')
