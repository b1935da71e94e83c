{{ config(materialized='table', tags=['small']) }}
select code as carrier, name from {{ ref('carriers') }}
