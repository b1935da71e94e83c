select {{ safe('id') }} as x from {{ ref('letters') }}
