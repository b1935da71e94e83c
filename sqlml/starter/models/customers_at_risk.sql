-- Predictions are a relation like any other.
select
    scored.customer_id,
    scored.plan,
    scored.predicted_churned,
    scored.probability
from {{ predict('churn', ref('customer_features')) }} as scored
where scored.probability > 0.5
