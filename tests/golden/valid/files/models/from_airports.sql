select * from {{ source('raw', 'airports') }}
