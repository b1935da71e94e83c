delete from {{ source('raw', 'flights') }}
