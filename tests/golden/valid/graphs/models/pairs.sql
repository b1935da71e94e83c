-- Of Spark's power_iteration_clustering_example.py, with letters for ids.
select * from values ('a', 'b', 1.0d), ('a', 'c', 1.0d), ('b', 'c', 1.0d), ('d', 'e', 1.0d), ('e', 'a', 0.1d)
  as t(one, other, alike)
