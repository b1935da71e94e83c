select map('a') as a, date_trunc() as b from {{ ref('flights') }}
