-- {{ this }} in a comment, and '{{ this }}' in a text, are names
select l.*, '{{ this }}' as made_by
from {{ ref('letters') }} as l
left join {{ this }} as before using (letter)
