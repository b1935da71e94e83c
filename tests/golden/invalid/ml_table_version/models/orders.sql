select 1.5d as amount, 'UA' as carrier
