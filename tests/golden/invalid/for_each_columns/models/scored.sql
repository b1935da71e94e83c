select * from {{ predict('late', ref('todays')) }}
