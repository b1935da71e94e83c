select 1 as id, 1.5d as x, 2 as n, 'red' as colour, 'snow and wind' as remarks, true as flag,
       array(1.0d, 2.0d) as weights, 3.5d as label
