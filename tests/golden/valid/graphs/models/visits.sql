select 1 as visit, array('home', 'shop') as pages, array(array(1, 2), array(3)) as baskets
