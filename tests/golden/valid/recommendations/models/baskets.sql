select user_id, collect_set(film) as films from {{ ref('ratings') }} group by user_id
