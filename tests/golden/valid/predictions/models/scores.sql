select flight_id, delay, predicted_delay
from {{ predict('delay', ref('features')) }}
