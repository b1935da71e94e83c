select * from {{ predict('late', 'features') }}
