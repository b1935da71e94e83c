"""The estimators that an ML model may name: one entry each, with what the rest of sqlml must know of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlml.ir.domains import any_number, glm_labels, naive_bayes_features
from sqlml.ir.project import MlModel
from sqlml.ir.roles import Domain
from sqlml.ir.spark_params import spark_params

DEFAULT_SEED = 42


class Problem(StrEnum):
    """What an estimator answers."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    CLUSTERING = "clustering"
    RECOMMENDATION = "recommendation"
    PATTERNS = "patterns"


class Family(StrEnum):
    """How an estimator reads features, which decides the default transforms."""

    LINEAR = "linear"  # categories one-hot; numbers as they are: Spark standardizes, or units do not count
    TREE = "tree"  # categories indexed and kept nominal
    DISTANCE = "distance"  # categories one-hot, numbers scaled
    GRADIENT = "gradient"  # the same: steps of one length for all features need features of one size
    COUNTS = "counts"  # categories one-hot, numbers as they are: they are how often something occurs
    NONE = "none"  # it reads columns with a role, and no features

    @property
    def encoding(self) -> str:
        """What is done to categories: `index` or `one_hot`."""
        return "index" if self is Family.TREE else "one_hot"

    @property
    def is_scaled(self) -> bool:
        """Whether numbers are scaled, because the estimator does not do it and their units would count."""
        return self in (Family.DISTANCE, Family.GRADIENT)


class Returns(StrEnum):
    """What a prediction adds; `ir.outputs` says in which columns."""

    PROBABILITIES = "probabilities"  # a class, and how probable each is
    SCORES = "scores"  # a class, and a score of each, which is no probability
    CLASS = "class"  # a class alone
    VALUE = "value"  # a number
    QUANTILES = "quantiles"  # a number, and others that it is below with a given probability
    DISTANCE = "distance"  # a cluster, and how far its centre is
    MIXTURE = "mixture"  # a cluster, and how probable each is
    TOPICS = "topics"  # a topic, and the share of each
    CLUSTER = "cluster"  # a cluster alone
    RATING = "rating"  # a number; none for who or what was never seen
    PREFERENCE = "preference"  # the same, of what was done and not rated: around 1 for what is liked
    ITEMS = "items"  # a list of what goes with a list

    @property
    def has_classes(self) -> bool:
        """Whether the columns depend on how many classes there are."""
        return self in (Returns.PROBABILITIES, Returns.SCORES)


@dataclass(frozen=True, slots=True)
class Estimator:
    """An estimator of Spark ML.

    Attributes:
        name: the class name.
        module: the pyspark module it lives in.
        about: one line for the documentation.
        roles: the roles (`ir.roles`) that it knows.
        explains: the tables (`ir.explanations`) that a fitted one fills.
        makes: the kinds of output (`ir.ml_outputs`) that it is made into.
        margin: what the contributions of a row's features add up to; empty: there are no exact contributions.
        ranks_by: Spark's column that orders rows of two classes by how probable class 1 is: of rows as probable as each
            other a margin tells more, but counts of a leaf's rows and sums of one class alone do not tell it.
        max_classes: the most classes it can tell apart; None: any number.
        max_features: the most features it reads; None: any number.
        threshold_param: the param that carries a binary threshold, if it has one.
        sets: params that sqlml sets unless the spec does, with their value.
        completes: params that sqlml works out from the data, and how, in words.
        own_params: params that Spark does not have: name to type, in the words of `spark_params.json`.
        refused_params: Spark's params that may not be given, and what to write instead.
        label_domain, feature_domain: what labels, and the slots of the feature vector, may be with the given params.
        rows_param: the param that says how many rows it needs at least, as many as clusters; none: two.
        over: what OneVsRest wraps.
        grows_lineage: whether each of its iterations makes the lineage longer, unless Spark can make checkpoints.
        is_foreign: whether it is none of Spark's own, named by its import path; what it returns is known by a fit.
        is_partial: whether there are rows that it cannot read, of which predictions are null.
    """

    name: str
    module: str
    problem: Problem
    family: Family
    returns: Returns
    about: str
    roles: tuple[str, ...]
    explains: tuple[str, ...] = ()
    max_classes: int | None = None
    max_features: int | None = None
    threshold_param: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)
    completes: Mapping[str, str] = field(default_factory=dict)
    own_params: Mapping[str, str] = field(default_factory=dict)
    refused_params: Mapping[str, str] = field(default_factory=dict)
    label_domain: Callable[[Mapping[str, Any]], Domain] = any_number
    feature_domain: Callable[[Mapping[str, Any]], Domain] = any_number
    rows_param: str = ""
    over: Estimator | None = None
    grows_lineage: bool = False
    is_foreign: bool = False
    is_partial: bool = False
    makes: tuple[str, ...] = ()
    margin: str = ""
    ranks_by: str = "rawPrediction"

    @property
    def needs_label(self) -> bool:
        """Whether it is supervised."""
        return "label" in self.roles or "rating" in self.roles

    @property
    def reads_features(self) -> bool:
        """Whether it reads columns without a role, as a vector."""
        return self.family is not Family.NONE

    @property
    def is_evaluated(self) -> bool:
        """Whether anything is measured of a fitted one, for which rows would be held out."""
        return self.problem is not Problem.PATTERNS

    def min_rows(self, params: Mapping[str, Any]) -> int:
        """Return the fewest rows that it can be fitted on with the given params."""
        if not self.rows_param:
            return 2
        return int(params.get(self.rows_param, spark_params(self.name)[self.rows_param].default))


_CLASSIFICATION = ("pyspark.ml.classification", Problem.CLASSIFICATION)
_REGRESSION = ("pyspark.ml.regression", Problem.REGRESSION)
_CLUSTERING = ("pyspark.ml.clustering", Problem.CLUSTERING)
_WEIGHTED = ("label", "weight")
_SEED = {"seed": DEFAULT_SEED}
_BINS = {"maxBins": "as many as the largest category needs"}
_PREDICTED = "the predicted value"
_PROBABILITY = "the probability of class 1; of more classes of the predicted one"

ESTIMATORS: dict[str, Estimator] = {
    entry.name: entry
    for entry in (
        Estimator(
            "LogisticRegression", *_CLASSIFICATION, Family.LINEAR, Returns.PROBABILITIES,
            "Logistic regression, binary or multinomial, with elastic net.",
            _WEIGHTED, ("coefficients",), threshold_param="threshold",
            margin="the log-odds of class 1; of more classes the raw score of the predicted one",
        ),
        Estimator(
            "LinearSVC", *_CLASSIFICATION, Family.LINEAR, Returns.SCORES,
            "Linear support vector machine; gives a margin, not a probability.",
            _WEIGHTED, ("coefficients",), max_classes=2, margin="`score`",
        ),
        Estimator(
            "DecisionTreeClassifier", *_CLASSIFICATION, Family.TREE, Returns.PROBABILITIES,
            "One tree.",
            _WEIGHTED, ("importances",), threshold_param="thresholds", sets=_SEED, completes=_BINS, margin=_PROBABILITY,
            ranks_by="probability",
        ),
        Estimator(
            "RandomForestClassifier", *_CLASSIFICATION, Family.TREE, Returns.PROBABILITIES,
            "Many trees, each on a sample of the rows, each split on a sample of the features.",
            _WEIGHTED, ("importances",), threshold_param="thresholds", sets=_SEED, completes=_BINS, margin=_PROBABILITY,
        ),
        # Spark's boosted trees know two classes only.
        Estimator(
            "GBTClassifier", *_CLASSIFICATION, Family.TREE, Returns.PROBABILITIES,
            "Boosted trees.",
            _WEIGHTED, ("importances",), max_classes=2, threshold_param="thresholds", sets=_SEED, completes=_BINS,
            grows_lineage=True, margin="the log-odds of class 1",
        ),
        Estimator(
            "NaiveBayes", *_CLASSIFICATION, Family.COUNTS, Returns.PROBABILITIES,
            "Naive Bayes: `modelType` multinomial, complement, bernoulli or gaussian.",
            _WEIGHTED, ("likelihoods",), threshold_param="thresholds", feature_domain=naive_bayes_features,
            ranks_by="probability",
        ),
        Estimator(
            "MultilayerPerceptronClassifier", *_CLASSIFICATION, Family.GRADIENT, Returns.PROBABILITIES,
            "Neural network of sigmoid layers; `hiddenLayers: [8, 4]` gives the sizes between input and output.",
            ("label",), ("network",), threshold_param="thresholds", sets=_SEED,
            completes={"layers": "slots of the vector, `hiddenLayers`, classes"},
            own_params={"hiddenLayers": "list of int"},
            refused_params={"layers": "write hiddenLayers: [8, 4]; the first and the last layer follow from the data"},
            ranks_by="probability",
        ),
        # Spark's has a weightCol, and does not read it.
        Estimator(
            "FMClassifier", *_CLASSIFICATION, Family.GRADIENT, Returns.PROBABILITIES,
            "Factorization machine: a linear model with all products of two features.",
            ("label",), ("coefficients", "factors"), max_classes=2, threshold_param="thresholds", sets=_SEED,
        ),
        # What it knows beside this follows from its classifier: see `find_estimator`.
        Estimator(
            "OneVsRest", *_CLASSIFICATION, Family.LINEAR, Returns.SCORES,
            "One classifier of two classes for each class: `params: {classifier: LinearSVC, …}`, with the classifier's "
            "own params beside it.",
            _WEIGHTED, own_params={"classifier": "string"}, margin="`score`",
        ),
        Estimator(
            "LinearRegression", *_REGRESSION, Family.LINEAR, Returns.VALUE,
            "Least squares or Huber loss, with elastic net.",
            _WEIGHTED, ("coefficients",), margin=_PREDICTED,
        ),
        Estimator(
            "GeneralizedLinearRegression", *_REGRESSION, Family.LINEAR, Returns.VALUE,
            "Generalized linear model: `family` gaussian, binomial, poisson, gamma or tweedie, with a `link`.",
            (*_WEIGHTED, "offset"), ("coefficients",), label_domain=glm_labels,
            margin="the link function of the predicted value",
        ),
        Estimator(
            "DecisionTreeRegressor", *_REGRESSION, Family.TREE, Returns.VALUE,
            "One tree.",
            _WEIGHTED, ("importances",), sets=_SEED, completes=_BINS, margin=_PREDICTED,
        ),
        Estimator(
            "RandomForestRegressor", *_REGRESSION, Family.TREE, Returns.VALUE,
            "Many trees, each on a sample of the rows, each split on a sample of the features.",
            _WEIGHTED, ("importances",), sets=_SEED, completes=_BINS, margin=_PREDICTED,
        ),
        Estimator(
            "GBTRegressor", *_REGRESSION, Family.TREE, Returns.VALUE,
            "Boosted trees.",
            _WEIGHTED, ("importances",), sets=_SEED, completes=_BINS, grows_lineage=True, margin=_PREDICTED,
        ),
        Estimator(
            "IsotonicRegression", *_REGRESSION, Family.LINEAR, Returns.VALUE,
            "The best fit that only rises (or falls, `isotonic: false`) with one feature.",
            _WEIGHTED, ("boundaries",), max_features=1,
        ),
        Estimator(
            "FMRegressor", *_REGRESSION, Family.GRADIENT, Returns.VALUE,
            "Factorization machine: a linear model with all products of two features.",
            ("label",), ("coefficients", "factors"), sets=_SEED,
        ),
        Estimator(
            "AFTSurvivalRegression", *_REGRESSION, Family.LINEAR, Returns.QUANTILES,
            "Time until something happens, where for some rows it had not happened yet (Weibull).",
            ("label", "censor"), ("coefficients",), label_domain=lambda params: Domain.POSITIVE,
            margin="the logarithm of the expected time",
        ),
        Estimator(
            "KMeans", *_CLUSTERING, Family.DISTANCE, Returns.DISTANCE,
            "`k` clusters around their means.",
            ("weight",), ("centres",), sets=_SEED, rows_param="k", makes=("centres",),
        ),
        Estimator(
            "BisectingKMeans", *_CLUSTERING, Family.DISTANCE, Returns.DISTANCE,
            "Clusters split in two until there are `k`.",
            ("weight",), ("centres",), sets=_SEED, rows_param="k", makes=("centres",),
        ),
        Estimator(
            "GaussianMixture", *_CLUSTERING, Family.DISTANCE, Returns.MIXTURE,
            "`k` overlapping clusters, each with its own spread.",
            ("weight",), ("centres", "covariances"), sets=_SEED, rows_param="k", makes=("centres",),
        ),
        Estimator(
            "LDA", *_CLUSTERING, Family.COUNTS, Returns.TOPICS,
            "Latent Dirichlet allocation: `k` topics of documents that are counts of words.",
            (), ("topics",), sets=_SEED, feature_domain=lambda params: Domain.NON_NEGATIVE, grows_lineage=True,
            is_partial=True,
        ),
        Estimator(
            "ALS", "pyspark.ml.recommendation", Problem.RECOMMENDATION, Family.NONE, Returns.RATING,
            "Alternating least squares: who likes what, from ratings or (`implicitPrefs: true`) from what was done.",
            # Spark's interval of 10 is too long: its serializer runs out of stack before the first checkpoint.
            ("user", "item", "rating"), sets=_SEED | {"checkpointInterval": 3}, grows_lineage=True,
            completes={"coldStartStrategy": "as `unseen:` says"},
            refused_params={"coldStartStrategy": "write unseen: keep or unseen: drop"},
            makes=("recommend_items", "recommend_users", "similar_items"),
        ),
        Estimator(
            "FPGrowth", "pyspark.ml.fpm", Problem.PATTERNS, Family.NONE, Returns.ITEMS,
            "What often occurs together, and what goes with it.",
            ("items",), makes=("itemsets", "rules"), completes={"numPartitions": "as many as the rows are laid out in"},
        ),
    )
}  # fmt: skip

# Public estimators of Spark ML that are not above, each with the reason.
NOT_HERE: dict[str, str] = {
    "PrefixSpan": "it gives a relation and no fitted model: write an entry of patterns:",
    "PowerIterationClustering": "it gives a relation and no fitted model: write an entry of graphs:",
}


# The least that one has to return.
_FOREIGN_RETURNS = {
    Problem.CLASSIFICATION: Returns.CLASS,
    Problem.REGRESSION: Returns.VALUE,
    Problem.CLUSTERING: Returns.CLUSTER,
}


def find_estimator(
    name: str, params: Mapping[str, Any], problem: str | None = None, family: str | None = None
) -> Estimator | None:
    """Return what is known of an estimator as an entry names it; None: there is none.

    Args:
        name: a class of the registry, or the import path of a class.
        params: what the entry gives.
        problem, family: what the entry says of a class that is none of Spark's own.
    """
    module, _, class_name = name.rpartition(".")
    entry = ESTIMATORS.get(class_name)
    if module and (entry is None or entry.module != module):
        return _foreign(name, module, Problem(problem), Family(family or Family.LINEAR)) if problem else None
    if class_name == "ALS" and params.get("implicitPrefs") is True:
        return replace(ESTIMATORS[class_name], returns=Returns.PREFERENCE)
    if entry is not None and params.get("distanceMeasure") == "cosine":
        # What is 0 everywhere has no direction.
        return replace(entry, is_partial=True)
    over = ESTIMATORS.get(str(params.get("classifier"))) if class_name == "OneVsRest" else None
    if entry is None or over is None:
        return entry
    return replace(
        entry,
        family=over.family,
        roles=over.roles,
        explains=over.explains,
        sets=over.sets,
        completes=over.completes,
        own_params=dict(entry.own_params) | dict(over.own_params),
        refused_params=over.refused_params,
        feature_domain=over.feature_domain,
        margin=entry.margin if over.margin else "",
        over=over,
    )


def _foreign(name: str, module: str, problem: Problem, family: Family) -> Estimator:
    roles = ("weight",) if problem is Problem.CLUSTERING else ("label", "weight")
    return Estimator(name, module, problem, family, _FOREIGN_RETURNS[problem], "", roles, is_foreign=True)


def explainable_estimators() -> tuple[str, ...]:
    """Return the estimators whose predictions can be explained row by row."""
    return tuple([entry.name for entry in ESTIMATORS.values() if entry.margin])


def estimator_of(ml_model: MlModel) -> Estimator:
    """Return the estimator of an ML model that was parsed.

    Raises:
        KeyError: there is none; the parse phase would have said so.
    """
    found = find_estimator(ml_model.estimator, ml_model.params, ml_model.problem, ml_model.family)
    if found is None:
        raise KeyError(ml_model.estimator)
    return found
