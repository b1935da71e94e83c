{{ config(materialized='view') }}
select order_id, customer, cast(amount as decimal(10, 2)) as amount, placed_on
from {{ ref('orders') }}
