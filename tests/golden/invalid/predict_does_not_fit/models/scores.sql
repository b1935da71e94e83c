select flight_id, score
from {{ predict('late_arrival', ref('today')) }}
