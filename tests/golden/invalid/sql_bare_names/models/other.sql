select flight_id from stg_flihgts
