select * from {{ source('raw', 'routes') }}
