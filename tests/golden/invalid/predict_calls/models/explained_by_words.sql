select * from {{ predict('late', ref('features'), explain='all') }}
