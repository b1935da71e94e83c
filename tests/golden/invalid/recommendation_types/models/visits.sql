select 'a' as user_id, 2 as film
