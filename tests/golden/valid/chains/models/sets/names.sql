select customer from {{ ref('stg_orders') }}
union
select customer from {{ ref('everyone') }}
