select b.user_id, b.film, b.predicted_stars, s.similar_film
from {{ ref('top_films') }} as b
join {{ ref('alike') }} as s on s.film = b.film and s.rank = 1
where b.rank = 1
