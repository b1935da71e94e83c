select * from {{ asof_join(rows=ref('letters')) }}
