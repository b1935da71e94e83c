select customer, order_id from {{ ref('stg_orders') }}
union all
select 'dan', 0
