"""The metrics that an evaluation gives: one entry each, with the problem it is for and which way is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.state import Metric


@dataclass(frozen=True, slots=True)
class MetricKind:
    """A metric.

    Attributes:
        name: Spark's own name where Spark has one.
        problem: what it measures.
        is_higher_better: which way is better.
        is_binary_only: whether it exists for two classes only.
        returns: which predictions it can be measured on.
        takes_top: whether it is about the share of rows with the highest scores: then it is measured as `liftAtTop10`.
        is_of_decisions: whether it follows from which rows are predicted to be what, so that a threshold can be learnt
            by it.
        takes_k: whether it is about the first k places of a ranking: then it is measured as `ndcgAt10`.
        is_compared: whether there is an interval of how much better than the trivial model's it is.
    """

    name: str
    problem: Problem
    is_higher_better: bool = True
    is_binary_only: bool = False
    returns: frozenset[Returns] = frozenset(Returns)
    takes_top: bool = False
    is_of_decisions: bool = False
    takes_k: bool = False
    is_compared: bool = True


DEFAULT_TOP = 0.1
"""The share of rows that `liftAtTop` and its like are about."""

DEFAULT_K = 10
"""How many places of a ranking `ndcgAtK` and its like are about."""

_SCORED = frozenset({Returns.PROBABILITIES, Returns.SCORES})
_TOPICS = frozenset({Returns.TOPICS})

_PROBABLE = frozenset({Returns.PROBABILITIES})
_CLASSES = Problem.CLASSIFICATION


def _decided(name: str, *, is_higher_better: bool = True, is_binary_only: bool = False) -> MetricKind:
    return MetricKind(name, _CLASSES, is_higher_better, is_binary_only, is_of_decisions=True)


# The first of a problem that an evaluation has is the one number shown of a fit.
METRICS: dict[str, MetricKind] = {
    entry.name: entry
    for entry in (
        # Exact (Spark's numBins=0): 1,000 bins, Spark's default, move in the sixth digit between two evaluations.
        MetricKind("areaUnderROC", _CLASSES, is_binary_only=True, returns=_SCORED),
        # With two classes `precision`, `recall` and `f1` are the positive class's; with more, `f1` is Spark's: each
        # class's, weighted by its share of the rows.
        _decided("f1"),
        MetricKind("areaUnderPR", _CLASSES, is_binary_only=True, returns=_SCORED),
        # scikit-learn's: steps, where Spark's area draws lines between the points.
        MetricKind("averagePrecision", _CLASSES, is_binary_only=True, returns=_SCORED),
        _decided("precision", is_binary_only=True),
        _decided("recall", is_binary_only=True),
        _decided("accuracy"),
        # Probabilities are kept 1e-15 away from 0 and 1, as Spark does.
        MetricKind("logLoss", _CLASSES, is_higher_better=False, returns=_PROBABLE),
        MetricKind("brierScore", _CLASSES, is_higher_better=False, returns=_PROBABLE),
        # Of the probability of class 1, or with more classes of the predicted one, in ten bins of one width.
        MetricKind("calibrationError", _CLASSES, is_higher_better=False, returns=_PROBABLE),
        MetricKind("precisionAtTop", _CLASSES, is_binary_only=True, returns=_SCORED, takes_top=True),
        MetricKind("recallAtTop", _CLASSES, is_binary_only=True, returns=_SCORED, takes_top=True),
        MetricKind("liftAtTop", _CLASSES, is_binary_only=True, returns=_SCORED, takes_top=True),
        _decided("falsePositiveRate", is_higher_better=False, is_binary_only=True),
        _decided("balancedAccuracy"),
        _decided("weightedPrecision"),
        _decided("weightedRecall"),
        _decided("weightedFMeasure"),
        _decided("weightedTruePositiveRate"),
        _decided("weightedFalsePositiveRate", is_higher_better=False),
        _decided("hammingLoss", is_higher_better=False),
        MetricKind("rmse", Problem.REGRESSION, is_higher_better=False),
        MetricKind("mae", Problem.REGRESSION, is_higher_better=False),
        MetricKind("r2", Problem.REGRESSION),
        MetricKind("mse", Problem.REGRESSION, is_higher_better=False),
        MetricKind("mape", Problem.REGRESSION, is_higher_better=False),
        # Of the quantiles that are predicted, else of the prediction as the median.
        MetricKind("quantileLoss", Problem.REGRESSION, is_higher_better=False),
        # Spark's: how far predictions are spread around the mean label. More is not better: noise spreads, too.
        MetricKind("var", Problem.REGRESSION),
        MetricKind("silhouette", Problem.CLUSTERING, returns=frozenset(Returns) - _TOPICS),
        # The sum of squared distances to the final centres (of distances, if they are cosine). Spark's own summary has
        # the cost before the last move of the centres.
        MetricKind("trainingCost", Problem.CLUSTERING, is_higher_better=False, returns=frozenset({Returns.DISTANCE})),
        # Spark's bounds of both, per word and in all.
        MetricKind("logPerplexity", Problem.CLUSTERING, is_higher_better=False, returns=_TOPICS),
        MetricKind("logLikelihood", Problem.CLUSTERING, returns=_TOPICS),
        # Of the items that were not rated before, what is recommended to a user against what was held out. Spark's
        # RankingMetrics, with its names.
        MetricKind("ndcgAtK", Problem.RECOMMENDATION, takes_k=True),
        MetricKind("meanAveragePrecisionAtK", Problem.RECOMMENDATION, takes_k=True),
        MetricKind("precisionAtK", Problem.RECOMMENDATION, takes_k=True),
        MetricKind("recallAtK", Problem.RECOMMENDATION, takes_k=True),
        # The share of the items that are recommended to anybody.
        MetricKind("coverageAtK", Problem.RECOMMENDATION, takes_k=True, is_compared=False),
    )
}


def known_metrics(estimator: Estimator) -> tuple[str, ...]:
    """Return the metrics that a gate on `estimator` may name; some of a classifier's need two classes."""
    return tuple(name for name, entry in METRICS.items() if _measures(entry, estimator))


def _measures(entry: MetricKind, estimator: Estimator) -> bool:
    # A rating is a number as well.
    problems = (estimator.problem, *((Problem.REGRESSION,) if estimator.returns is Returns.RATING else ()))
    return entry.problem in problems and (estimator.is_foreign or estimator.returns in entry.returns)


def measured_name(name: str, top: float | None = None, k: int | None = None) -> str:
    """Return the name under which a metric is kept: `liftAtTop` of the best tenth of the rows is `liftAtTop10`.

    `ndcgAtK` of the first ten places is `ndcgAt10`.
    """
    kind = METRICS.get(name)
    if kind is not None and kind.takes_top:
        return f"{name}{100 * (DEFAULT_TOP if top is None else top):.10g}"
    return f"{name.removesuffix('K')}{k or DEFAULT_K}" if kind is not None and kind.takes_k else name


def kind_of(measured: str) -> MetricKind | None:
    """Return the kind of a metric by the name under which it is kept."""
    stem = measured.rstrip("0123456789.")
    return METRICS.get(measured) or METRICS.get(stem) or METRICS.get(f"{stem}K")


def headline(metrics: Sequence[Metric], dataset: str) -> Metric | None:
    """Return the one number that stands for a fit on a dataset: the first of `METRICS` that was measured."""
    by_name = {entry.metric: entry for entry in metrics if entry.dataset == dataset and not entry.slice}
    names = map(measured_name, METRICS)
    return next((by_name[name] for name in names if name in by_name), None)
