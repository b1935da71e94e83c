select 'milk' as product, array(array(1)) as products
