select *, dep_ts + make_dt_interval(0, 0, arr_delay) as arr_ts from {{ source('raw', 'flights') }}
