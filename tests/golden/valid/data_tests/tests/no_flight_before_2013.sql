{{ config(severity='warn', tags=['slow']) }}
select * from {{ ref('stg_flights') }} where dep_ts < '2013'
