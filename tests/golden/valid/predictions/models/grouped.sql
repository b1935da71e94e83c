{%- set relation = ref('scores') -%}
select cluster, count(*) as n
from {{ predict('groups', relation) }}
group by cluster
