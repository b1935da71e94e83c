"""Makes Spark ML's feature stages: training rows and resolved transforms in, fitted stages and the slots' names out.

`fitting` is the way of the rows; each word has its maker in `source_sql` (what plain SQL can do), `numbers`,
`categories`, `texts`, `scaling`, `mixing` or `selecting`. All stages are Spark ML's own: any Spark program loads them.
"""

from sqlml.run.ml.features.fitting import FeatureStages, expression_types, fit_features
from sqlml.run.ml.features.learnt import Learnt
from sqlml.run.ml.features.making import FEATURES, NULL_LABEL, OTHER_LABEL, Target

__all__ = [
    "FEATURES",
    "NULL_LABEL",
    "OTHER_LABEL",
    "FeatureStages",
    "Learnt",
    "Target",
    "expression_types",
    "fit_features",
]
