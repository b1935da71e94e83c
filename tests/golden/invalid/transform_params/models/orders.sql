select 1 as id, 2 as amount, 3.5d as price, 'a b' as remarks, 'x' as shop, true as is_late, timestamp '2024-01-01' as at
