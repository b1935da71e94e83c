select code from {{ ref('carriers') }}
except
select carrier from {{ ref('last_flights') }}
