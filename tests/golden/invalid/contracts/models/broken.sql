select order_id, cast(amount as double) as amount, placed_on as day, note from {{ ref('orders') }}
