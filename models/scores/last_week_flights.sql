-- The flights that no model has seen.
{{ config(materialized='view') }}

select *
from {{ ref('flight_features') }}
where sched_dep_ts >= timestamp '{{ var("last_week") }}'
