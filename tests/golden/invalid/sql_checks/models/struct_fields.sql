with packed as (select struct(id, carrier as code) as flight, array(struct(delay as minutes)) as legs from {{ ref('flights') }})
select flight.cod as code, legs[0].minuts as minutes from packed
