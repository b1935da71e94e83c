{# a comment with {{ braces }} #}
select
  id as `a b`,
  word as `back``tick`,
  '{{ '{{' }} é ✓' as text, {% raw %}'{{ raw }}'{% endraw %} as raw
from {{ ref('words') }}
