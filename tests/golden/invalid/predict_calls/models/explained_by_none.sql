select * from {{ predict('late', ref('features'), explain=0) }}
