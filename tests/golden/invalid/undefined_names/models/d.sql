select {{ target.shema }} from {{ ref('letters') }}
