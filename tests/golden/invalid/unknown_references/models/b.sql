select * from {{ source('rav', 'flights') }}
union all
select * from {{ source('raw', 'flihgts') }}
union all
select * from {{ ref('other_project', 'letters') }}
