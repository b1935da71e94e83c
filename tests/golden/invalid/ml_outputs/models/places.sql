select id, x from {{ ref('points') }}
