select order_id, note from {{ ref('orders') }}
