{{ config(contract={'enforced': true}) }} select order_id from {{ ref('orders') }}
