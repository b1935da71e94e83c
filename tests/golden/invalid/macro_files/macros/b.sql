
{% macro twice() %}{% endmacro %}
{% macro ref(name) %}{% endmacro %}
