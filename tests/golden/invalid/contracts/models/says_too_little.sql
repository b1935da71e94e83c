select order_id, amount, note from {{ ref('orders') }}
