{% set channels = ['web', 'app'] -%}
select
  day,{{ per_channel(channels) }}
  count(*) as n
from {{ sales() }}
group by day
