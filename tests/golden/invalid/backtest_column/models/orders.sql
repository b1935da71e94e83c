select 1 as id, true as is_late, 1.5d as amount, 'UA' as carrier, map('a', 1) as tags, timestamp '2024-01-01' as at
