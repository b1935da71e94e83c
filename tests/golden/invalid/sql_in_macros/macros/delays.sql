{% macro minutes(column) %}coalesce({{ column }}, 0){% endmacro %}
