select id, predicted_id
from {{ predict('late', ref('clean')) }}
