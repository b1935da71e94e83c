{% macro open() %}
{% if true %}
{% endmacro %}
