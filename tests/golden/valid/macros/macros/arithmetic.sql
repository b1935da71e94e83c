{#- Division that survives zero. -#}
{% macro ratio(a, b) -%}
({{ a }}) / nullif({{ b }}, 0)
{%- endmacro %}
