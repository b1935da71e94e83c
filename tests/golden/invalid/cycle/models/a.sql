-- a
select * from {{ ref('c') }}
