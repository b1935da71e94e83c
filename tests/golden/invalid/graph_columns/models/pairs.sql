select 1 as a, '2' as b, 'much' as alike, array(1) as steps, array(map(1, 2)) as maps
