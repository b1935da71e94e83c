{{ config(materialized='view') }}
select * from {{ predict('late', ref('features')) }}
