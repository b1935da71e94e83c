{{ config(enabled=var('keep_old', false)) }}
select * from {{ ref('long_gone') }}
