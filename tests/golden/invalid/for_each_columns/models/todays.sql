select cast(1 as bigint) as id, 2.5d as size
