select cast(1 as bigint) as id, 2.5d as size, true as is_late, 'north' as region, 0.5d as share
