{{ config(contract={'enforced': true}) }}
select cast(order_id as int) as order_id from {{ ref('orders') }}
