select lpad(carrier) as padded from {{ ref('flights') }}
