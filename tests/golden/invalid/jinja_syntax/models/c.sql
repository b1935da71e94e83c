{% test positive(model) %}
select 1
{% endtest %}
