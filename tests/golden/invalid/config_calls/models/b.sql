{{ config('view') }}
select * from {{ ref('letters') }}
