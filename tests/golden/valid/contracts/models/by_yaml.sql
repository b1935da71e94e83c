select order_id, amount, array(note) as notes from {{ ref('orders') }}
