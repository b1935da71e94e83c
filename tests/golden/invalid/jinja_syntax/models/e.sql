select * from {{ ref('letters') }
