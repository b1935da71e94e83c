select _c0 as number, _c1 as word from {{ source('raw', 'plain') }}
