select flight_id, carrier, 0.5 as probability from {{ source('raw', 'flights') }}
