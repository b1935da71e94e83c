select f.id, recent.n_6h, recent.total_6h, recent.mean_6h, recent.n_all, recent.total_all, recent.mean_all
from {{ ref('flights') }} as f
left join {{ known_window(
    rows=ref('flights'), row_key='id', key='carrier', at='dep', events=ref('flights'), known_at='arr',
    within={'6h': '6 hours', 'all': none},
    aggregates={'n': 'count(*)', 'total': 'sum(delay)', 'mean': 'avg(delay)'}) }} as recent using (id)
