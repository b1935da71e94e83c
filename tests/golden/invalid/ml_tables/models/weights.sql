select version, feature, coefficient, weight from {{ ml_table('amounts', 'coefficients') }}
