select distinct user_id from {{ ref('ratings') }}
