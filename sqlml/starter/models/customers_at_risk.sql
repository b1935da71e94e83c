-- Predictions are a relation like any other, and can say why.
select
    scored.customer_id,
    scored.plan,
    scored.predicted_churned,
    scored.probability,
    scored.explanation
from {{ predict('churn', ref('customer_features'), explain=2) }} as scored
where scored.probability > 0.5
