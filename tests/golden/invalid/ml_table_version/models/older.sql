select metric from {{ ml_table('amounts', 'metrics', version='best of all') }}
