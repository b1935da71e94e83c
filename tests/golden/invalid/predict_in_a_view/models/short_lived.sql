{{ config(materialized='ephemeral') }}
select *
from {{ predict('late', ref('features')) }}
