select id, letter from {{ ref('letters') }}
