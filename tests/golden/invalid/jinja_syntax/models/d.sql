select {{ 'id' | uper }} from {{ ref('letters') }}
