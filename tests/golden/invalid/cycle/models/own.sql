select * from {{ ref('own') }}
