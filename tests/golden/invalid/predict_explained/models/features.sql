select id, x, grade from {{ ref('letters') }}
