{%- set condition -%}
day >= {{ var('first_day') }}
{%- endset -%}
{{ log('the schema is ' ~ target.schema) -}}
select {{ var('columns') | join(', ') }}, '{{ target.name }}' as target, "{{ this }}" as relation
from {{ ref('sales') }}
where {{ condition }}
{%- if var('strict') %}
  and amount > 0
{%- elif target.schema == 'live' %}
  and amount < {{ env_var('LARGEST_SALE', '1000') }}
{%- endif %}
