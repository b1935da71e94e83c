select flight_id, carrier from {{ source('raw', 'flights') }}
union all
select flight_id from {{ source('raw', 'flights') }}
