"""Metrics of which rows are predicted to be what: weights of pairs of label and prediction in, values out.

The formulas are those of Spark's MulticlassMetrics: what has no rows or predictions to be measured on is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sqlml.run.ml.evaluation.resampling import divide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sqlml.run.ml.evaluation.resampling import Numbers


@dataclass(frozen=True, slots=True)
class ByClass:
    """Measures of each class; the last axis is the class, those before it are replicates."""

    actual: Numbers
    precision: Numbers
    recall: Numbers
    f_measure: Numbers
    false_positive_rate: Numbers
    hits: Numbers


def measure_classes(labels: NDArray[np.int64], predicted: NDArray[np.int64], weights: Numbers, classes: int) -> ByClass:
    """Return the measures of each class.

    Args:
        labels, predicted: class indexes of each pair.
        weights: of each pair on the last axis.
    """
    is_label, is_predicted = np.eye(classes)[labels], np.eye(classes)[predicted]
    actual, chosen = weights @ is_label, weights @ is_predicted
    hits = weights @ (is_label * is_predicted)
    total = weights.sum(axis=-1, keepdims=True)
    precision, recall = divide(hits, chosen), divide(hits, actual)
    return ByClass(
        actual,
        precision,
        recall,
        divide(2 * precision * recall, precision + recall),
        divide(chosen - hits, total - actual),
        hits,
    )


def decision_values(of: ByClass) -> dict[str, Numbers]:
    """Return the metrics of decisions in each replicate."""
    share = divide(of.actual, of.actual.sum(axis=-1, keepdims=True))

    def weighted(measure: Numbers) -> Numbers:
        mean: Numbers = (measure * share).sum(axis=-1)
        return mean

    is_binary = of.actual.shape[-1] == 2
    accuracy = divide(of.hits.sum(axis=-1), of.actual.sum(axis=-1))
    there = of.actual > 0
    values = {
        "f1": of.f_measure[..., 1] if is_binary else weighted(of.f_measure),
        "accuracy": accuracy,
        "balancedAccuracy": divide((of.recall * there).sum(axis=-1), there.sum(axis=-1).astype(float)),
        "weightedPrecision": weighted(of.precision),
        "weightedRecall": weighted(of.recall),
        "weightedFMeasure": weighted(of.f_measure),
        "weightedTruePositiveRate": weighted(of.recall),
        "weightedFalsePositiveRate": weighted(of.false_positive_rate),
        "hammingLoss": 1 - accuracy,
    }
    if is_binary:
        values |= {
            "precision": of.precision[..., 1],
            "recall": of.recall[..., 1],
            "falsePositiveRate": of.false_positive_rate[..., 1],
        }
    return values
