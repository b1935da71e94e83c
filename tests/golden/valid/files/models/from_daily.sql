select * from {{ source('raw', 'daily') }}
