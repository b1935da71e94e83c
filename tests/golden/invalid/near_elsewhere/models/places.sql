select 1 as id, 1.5d as x, 2.5d as y
