select order_id, upper(note) as note from {{ ref('orders') }}
