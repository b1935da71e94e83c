select id, explanations, explanation[0].slot from {{ predict('line', ref('features'), explain=2) }}
