select user_id, explode(predicted_items) as film
from {{ predict('habits', ref('baskets')) }}
