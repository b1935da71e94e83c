select id, base_value from {{ predict('line', ref('letters'), explain=2) }}
