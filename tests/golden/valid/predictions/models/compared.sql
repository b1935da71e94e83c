-- The same call is the same step.
select p.flight_id, p.predicted_delay - f.delay as error
from {{ predict('delay', ref('features')) }} as p
join {{ ref('features') }} as f using (flight_id)
