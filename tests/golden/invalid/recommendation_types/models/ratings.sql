select 1 as user_id, array(2) as movie_ids, 'good' as word, 3.0 as stars
