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
    """

    name: str
    problem: Problem
    is_higher_better: bool = True
    is_binary_only: bool = False
    returns: frozenset[Returns] = frozenset(Returns)


_SCORED = frozenset({Returns.PROBABILITIES, Returns.SCORES})
_TOPICS = frozenset({Returns.TOPICS})

# The first of a problem that an evaluation has is the one number shown of a fit.
METRICS: dict[str, MetricKind] = {
    entry.name: entry
    for entry in (
        # Exact (Spark's numBins=0): 1,000 bins, Spark's default, move in the sixth digit between two evaluations.
        MetricKind("areaUnderROC", Problem.CLASSIFICATION, is_binary_only=True, returns=_SCORED),
        # With two classes `precision`, `recall` and `f1` are the positive class's; with more, `f1` is Spark's: each
        # class's, weighted by its share of the rows.
        MetricKind("f1", Problem.CLASSIFICATION),
        MetricKind("areaUnderPR", Problem.CLASSIFICATION, is_binary_only=True, returns=_SCORED),
        MetricKind("precision", Problem.CLASSIFICATION, is_binary_only=True),
        MetricKind("recall", Problem.CLASSIFICATION, is_binary_only=True),
        MetricKind("accuracy", Problem.CLASSIFICATION),
        # Probabilities are kept 1e-15 away from 0 and 1, as Spark does.
        MetricKind(
            "logLoss", Problem.CLASSIFICATION, is_higher_better=False, returns=frozenset({Returns.PROBABILITIES})
        ),
        MetricKind("weightedPrecision", Problem.CLASSIFICATION),
        MetricKind("weightedRecall", Problem.CLASSIFICATION),
        MetricKind("weightedFMeasure", Problem.CLASSIFICATION),
        MetricKind("rmse", Problem.REGRESSION, is_higher_better=False),
        MetricKind("mae", Problem.REGRESSION, is_higher_better=False),
        MetricKind("r2", Problem.REGRESSION),
        MetricKind("mse", Problem.REGRESSION, is_higher_better=False),
        MetricKind("silhouette", Problem.CLUSTERING, returns=frozenset(Returns) - _TOPICS),
        # The sum of squared distances to the final centres (of distances, if they are cosine). Spark's own summary has
        # the cost before the last move of the centres.
        MetricKind("trainingCost", Problem.CLUSTERING, is_higher_better=False, returns=frozenset({Returns.DISTANCE})),
        # Spark's bounds of both, per word and in all.
        MetricKind("logPerplexity", Problem.CLUSTERING, is_higher_better=False, returns=_TOPICS),
        MetricKind("logLikelihood", Problem.CLUSTERING, returns=_TOPICS),
    )
}


def known_metrics(estimator: Estimator) -> tuple[str, ...]:
    """Return the metrics that a gate on `estimator` may name; some of a classifier's need two classes."""
    return tuple(name for name, entry in METRICS.items() if _measures(entry, estimator))


def _measures(entry: MetricKind, estimator: Estimator) -> bool:
    return entry.problem is estimator.problem and (estimator.is_foreign or estimator.returns in entry.returns)


def headline(metrics: Sequence[Metric], dataset: str) -> Metric | None:
    """Return the one number that stands for a fit on a dataset: the first of `METRICS` that was measured."""
    by_name = {entry.metric: entry for entry in metrics if entry.dataset == dataset and not entry.slice}
    return next((by_name[name] for name in METRICS if name in by_name), None)
