select id from {{ ref('letters') }}
