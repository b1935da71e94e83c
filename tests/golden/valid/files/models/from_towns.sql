select * from {{ source('raw', 'towns') }}
