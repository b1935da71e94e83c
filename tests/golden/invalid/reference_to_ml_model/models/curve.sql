select * from {{ ml_table('late', 'roc') }}
