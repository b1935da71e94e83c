-- One row per customer: what we know of them on the day we look.
with visits as (

    select
        customer_id,
        count(*) as visits_60d,
        sum(minutes) as minutes_60d,
        datediff(date '{{ var("as_of") }}', max(visited_on)) as days_since_visit
    from {{ ref('visits') }}
    group by customer_id

)

select
    customers.customer_id,
    customers.plan,
    customers.country,
    customers.tickets,
    datediff(date '{{ var("as_of") }}', customers.signed_up) as days_since_signup,
    coalesce(visits.visits_60d, 0) as visits_60d,
    coalesce(visits.minutes_60d, 0) as minutes_60d,
    visits.days_since_visit,
    customers.churned
from {{ ref('customers') }} as customers
left join visits on visits.customer_id = customers.customer_id
