select id from {{ source('raw', 'flights') }}
