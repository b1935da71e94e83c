select flight_id, probabilty, predicted_is_late
from {{ predict('late_arrival', ref('features')) }}
