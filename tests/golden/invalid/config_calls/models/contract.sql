{{ config(contract=true) }} select order_id from {{ ref('letters') }}
