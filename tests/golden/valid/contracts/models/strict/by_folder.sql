select order_id, named_struct('a', order_id + 6) as parsed from {{ ref('orders') }}
