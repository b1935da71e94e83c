{% macro safe(a, b) %}
{{ a }} / nullif({{ b }}, 0)
{% endmacro %}

{% macro broken() %}
{{ nothing }}
{% endmacro %}
