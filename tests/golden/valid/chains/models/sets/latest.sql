with orders as (select * from {{ ref('stg_orders') }})
select order_id from orders order by placed_on desc, order_id limit 2
