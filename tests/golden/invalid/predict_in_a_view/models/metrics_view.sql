{{ config(materialized='view') }}
select * from {{ ml_table('late', 'metrics') }}
