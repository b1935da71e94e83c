select * from {{ ref('b') }} join {{ ref('letters') }} using (id)
