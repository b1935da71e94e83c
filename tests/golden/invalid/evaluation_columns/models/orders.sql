select true as is_late, 1.5d as amount, 'UA' as carrier, array(1) as items, 12 as month
