{{- config(materialized='ephemeral') -}}
select name, avg(delay) as mean_delay
from {{ ref('stg_flights') }}
join {{ ref('stg_carriers') }} using (carrier)
group by name
