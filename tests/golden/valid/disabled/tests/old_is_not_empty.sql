{{ config(enabled=false) }}
select 1 from {{ ref('old') }}
