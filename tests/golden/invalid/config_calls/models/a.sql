{{ config(materialised='view') }}
{{ config(materialized='incremental') }}
{{ config(unique_key='id', tags=1) }}
select * from {{ ref('letters') }}
