-- Another number of reasons is another step.
select flight_id, reason.feature, reason.value, reason.contribution + base_value as moved_to
from {{ predict('delay', ref('features'), explain=2) }}
lateral view explode(explanation) as reason
