select * from {{ ref(letters) }}
