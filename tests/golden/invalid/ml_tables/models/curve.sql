select threshold from {{ ml_table('amounts', 'roc_curve') }}
