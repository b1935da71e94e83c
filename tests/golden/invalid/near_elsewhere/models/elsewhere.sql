select 'a' as name, 1.5d as x, '2.5' as y
