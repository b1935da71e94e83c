{{ config(enabled=false) }}
select * from {{ ref('letters') }}
