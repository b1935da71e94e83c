select upper() as a, lpad(carrier) as b, delay + from {{ ref('flights') }}
