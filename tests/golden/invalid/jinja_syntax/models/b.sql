select *
{% if true %}
from {{ ref('letters') }}
