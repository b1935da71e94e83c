select flight_id, predicted_is_late
from {{ predict('late_arrival', ref('today')) }}
