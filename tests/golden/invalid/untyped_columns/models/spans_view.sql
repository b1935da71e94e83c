{{ config(materialized='ephemeral') }}
select id, make_interval(0, 1, 0, id) as span from {{ ref('rows') }}
