select order_id, placed_on from {{ ref('orders') }}
