select {{ 1 + 'a' }} as x from {{ ref('letters') }}
