select count(*) as n, min(id) as first from {{ ref('groups') }} group by cluster
