select id, explanation from {{ predict('grades', ref('features'), explain=2) }}
