"""The estimators that an ML model may name: one entry each, with what the rest of sqlml must know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlml.ir.project import MlModel

DEFAULT_SEED = 42


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

    @property
    def encoding(self) -> str:
        """What is done to categories: `index` or `one_hot`."""
        return "index" if self is Family.TREE else "one_hot"

    @property
    def is_scaled(self) -> bool:
        """Whether numbers are scaled, because the estimator does not do it and their units would count."""
        return self is Family.DISTANCE


class Returns(StrEnum):
    """What a prediction adds, `run/ml/outputs.py` says in which columns."""

    PROBABILITIES = "probabilities"  # a class, and how probable each is
    VALUE = "value"  # a number
    DISTANCE = "distance"  # a cluster, and how far its centre is


@dataclass(frozen=True, slots=True)
class Estimator:
    """An estimator of Spark ML.

    Attributes:
        name: the class name.
        module: the pyspark module it lives in.
        about: one line for the documentation.
        roles: the roles (`ir.roles`) that it knows.
        max_classes: the most classes it can tell apart; None: any number.
        threshold_param: the param that carries a binary threshold, if it has one.
        sets: params that sqlml sets unless the spec does, with their value.
        completes: params that sqlml works out from the data, and how, in words.
    """

    name: str
    module: str
    problem: Problem
    family: Family
    returns: Returns
    about: str
    roles: tuple[str, ...]
    max_classes: int | None = None
    threshold_param: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)
    completes: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_label(self) -> bool:
        """Whether it is supervised."""
        return "label" in self.roles


_CLASSIFICATION = ("pyspark.ml.classification", Problem.CLASSIFICATION)
_REGRESSION = ("pyspark.ml.regression", Problem.REGRESSION)
_CLUSTERING = ("pyspark.ml.clustering", Problem.CLUSTERING)
_WEIGHTED = ("label", "weight")
_SEED = {"seed": DEFAULT_SEED}
_BINS = {"maxBins": "as many as the largest category needs"}

ESTIMATORS: dict[str, Estimator] = {
    entry.name: entry
    for entry in (
        Estimator(
            "LogisticRegression",
            *_CLASSIFICATION,
            Family.LINEAR,
            Returns.PROBABILITIES,
            "Logistic regression, binary or multinomial, with elastic net.",
            _WEIGHTED,
            threshold_param="threshold",
        ),
        Estimator(
            "RandomForestClassifier",
            *_CLASSIFICATION,
            Family.TREE,
            Returns.PROBABILITIES,
            "Many trees, each on a sample of rows and features.",
            _WEIGHTED,
            threshold_param="thresholds",
            sets=_SEED,
            completes=_BINS,
        ),
        # Spark's boosted trees know two classes only.
        Estimator(
            "GBTClassifier",
            *_CLASSIFICATION,
            Family.TREE,
            Returns.PROBABILITIES,
            "Boosted trees for two classes.",
            _WEIGHTED,
            max_classes=2,
            threshold_param="thresholds",
            sets=_SEED,
            completes=_BINS,
        ),
        Estimator(
            "LinearRegression",
            *_REGRESSION,
            Family.LINEAR,
            Returns.VALUE,
            "Least squares or Huber loss, with elastic net.",
            _WEIGHTED,
        ),
        Estimator(
            "RandomForestRegressor",
            *_REGRESSION,
            Family.TREE,
            Returns.VALUE,
            "Many trees, each on a sample of rows and features.",
            _WEIGHTED,
            sets=_SEED,
            completes=_BINS,
        ),
        Estimator(
            "GBTRegressor",
            *_REGRESSION,
            Family.TREE,
            Returns.VALUE,
            "Boosted trees.",
            _WEIGHTED,
            sets=_SEED,
            completes=_BINS,
        ),
        Estimator(
            "KMeans",
            *_CLUSTERING,
            Family.DISTANCE,
            Returns.DISTANCE,
            "k clusters around their means.",
            ("weight",),
            sets=_SEED,
        ),
    )
}


def find_estimator(name: str, params: Mapping[str, Any]) -> Estimator | None:
    """Return what is known of an estimator as an entry names it, with the params it gives; None: there is none."""
    return ESTIMATORS.get(name)


def estimator_of(ml_model: MlModel) -> Estimator:
    """Return the estimator of an ML model that was parsed.

    Raises:
        KeyError: there is none; the parse phase would have said so.
    """
    found = find_estimator(ml_model.estimator, ml_model.params)
    if found is None:
        raise KeyError(ml_model.estimator)
    return found
