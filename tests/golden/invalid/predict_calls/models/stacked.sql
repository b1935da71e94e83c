select * from {{ predict('late', predict('late', ref('features'))) }}
