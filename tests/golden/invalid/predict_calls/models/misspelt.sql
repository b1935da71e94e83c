select * from {{ predict('latte', ref('features')) }}
