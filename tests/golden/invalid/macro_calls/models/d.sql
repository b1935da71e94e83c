select * from {{ known_window(rows=ref('letters'), row_key='id', key='id', at='t', events=ref('letters'),
  known_at='t', within='6 hours', aggregates={'n': 'median(id)'}) }}
