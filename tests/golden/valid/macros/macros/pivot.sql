{% macro per_channel(channels) -%}
{%- for channel in channels %}
  {{ _sum(channel) }} as {{ channel }},
{%- endfor -%}
{%- endmacro %}

{% macro _sum(channel) %}sum(case when channel = '{{ channel }}' then amount else 0 end){% endmacro %}

{% macro sales() %}{{ ref('sales') }}{% endmacro %}
