select id, explanation from {{ predict('groups', ref('features'), explain=2) }}
