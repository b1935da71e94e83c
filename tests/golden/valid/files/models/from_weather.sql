select * from {{ source('raw', 'weather') }}
