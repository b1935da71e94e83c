select flight_id from stg_flights join raw.flights using (flight_id)
