select * from values (1, 'dune', 4, timestamp '2024-01-01'), (2, 'dune', 5, timestamp '2024-01-02')
  as t(user_id, film, stars, rated_at)
