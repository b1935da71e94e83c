select 1 as user_id, 2 as movie_id, 3.0 as stars, current_timestamp() as rated_at
