"""The estimators that an ML model may name: one entry each, with what the rest of sqlml must know of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """What an estimator answers."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    CLUSTERING = "clustering"


class Family(StrEnum):
    """How an estimator reads features, which decides the default transforms."""

    LINEAR = "linear"  # categories one-hot; Spark standardizes by itself
    TREE = "tree"  # categories indexed and kept nominal
    DISTANCE = "distance"  # categories one-hot, numbers scaled


@dataclass(frozen=True, slots=True)
class Estimator:
    """An estimator of Spark ML.

    Attributes:
        name: the class name.
        module: the pyspark module it lives in.
        max_classes: the most classes it can tell apart; None: any number.
        threshold_param: the param that carries a binary threshold, if it has one.
    """

    name: str
    module: str
    problem: Problem
    family: Family
    max_classes: int | None = None
    has_weight: bool = True
    threshold_param: str | None = None

    @property
    def needs_label(self) -> bool:
        """Whether it is supervised."""
        return self.problem is not Problem.CLUSTERING


_CLASSIFICATION = "pyspark.ml.classification"
_REGRESSION = "pyspark.ml.regression"

ESTIMATORS: dict[str, Estimator] = {
    entry.name: entry
    for entry in (
        Estimator(
            "LogisticRegression", _CLASSIFICATION, Problem.CLASSIFICATION, Family.LINEAR, threshold_param="threshold"
        ),
        Estimator(
            "RandomForestClassifier",
            _CLASSIFICATION,
            Problem.CLASSIFICATION,
            Family.TREE,
            threshold_param="thresholds",
        ),
        # Spark's boosted trees know two classes only.
        Estimator(
            "GBTClassifier",
            _CLASSIFICATION,
            Problem.CLASSIFICATION,
            Family.TREE,
            max_classes=2,
            threshold_param="thresholds",
        ),
        Estimator("LinearRegression", _REGRESSION, Problem.REGRESSION, Family.LINEAR),
        Estimator("RandomForestRegressor", _REGRESSION, Problem.REGRESSION, Family.TREE),
        Estimator("GBTRegressor", _REGRESSION, Problem.REGRESSION, Family.TREE),
        Estimator("KMeans", "pyspark.ml.clustering", Problem.CLUSTERING, Family.DISTANCE),
    )
}
