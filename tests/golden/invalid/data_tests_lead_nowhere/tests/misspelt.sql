select * from {{ ref('n') }}
