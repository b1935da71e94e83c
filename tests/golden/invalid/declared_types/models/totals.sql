select id, price from {{ source('raw', 'orders') }}
