"""Measures a classifier of several classes, or one without scores: scored rows in, groups by decision out, and metrics.

Rows are alike that have one label, one prediction and one tenth of its probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sqlml.run.ml.estimator import LABEL
from sqlml.run.ml.evaluation.binary import CALIBRATION_BINS, EDGES, LOG_LOSS_EPSILON, P_BIN
from sqlml.run.ml.evaluation.decisions import decision_values, measure_classes
from sqlml.run.ml.evaluation.resampling import divide, draw_weights, of_rows
from sqlml.run.ml.evaluation.rows import Groups

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

MOST_NUMBERS = 20_000_000
"""Above so many numbers of all replicates there is no interval."""

DECISION_KEYS = ("label", "predicted", "p_bin")
DECISION_SUMS = {
    "n": "count(1)",
    "weight_sum": "sum(weight)",
    "squares": "sum(weight * weight)",
    "loss": "sum(weight * loss)",
    "brier": "sum(weight * brier)",
    "sum_p": "sum(weight * p)",
}


def decision_expressions(has_probabilities: bool) -> dict[str, Column]:
    """Return what is read of each scored row: classes, and of probabilities the predicted class's and the losses."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    label, predicted = sf.col(LABEL).cast("int"), sf.col("prediction").cast("int")
    nothing = sf.lit(0.0)
    found = {"label": label, "predicted": predicted, "p": nothing, "loss": nothing, "brier": nothing}
    if not has_probabilities:
        return found
    by_class = vector_to_array(sf.col("probability"))
    true = sf.get(by_class, label)
    squares = sf.aggregate(by_class, sf.lit(0.0), lambda total, p: total + p * p)
    clipped = sf.least(sf.greatest(true, sf.lit(LOG_LOSS_EPSILON)), sf.lit(1 - LOG_LOSS_EPSILON))
    return found | {"p": sf.get(by_class, predicted), "loss": -sf.log(clipped), "brier": squares - 2 * true + 1}


def group_decisions(rows: DataFrame, *beside: str) -> DataFrame:
    """Return the groups of each dataset and slice, and of each value of the columns `beside`."""
    from pyspark.sql import functions as sf

    sums = [sf.expr(sql).alias(name) for name, sql in DECISION_SUMS.items()]
    return rows.withColumn("p_bin", sf.expr(P_BIN)).groupBy("dataset", "slice", *beside, *DECISION_KEYS).agg(*sums)


def draw_decisions(groups: Groups, replicates: int) -> Numbers | None:
    """Return replicates of the groups' weights; None where they would be too many numbers."""
    if len(groups["n"]) * replicates > MOST_NUMBERS:
        return None
    return draw_weights(groups["weight_sum"], groups["squares"], replicates)


def multiclass_values(groups: Groups, weights: Numbers, classes: int, has_probabilities: bool) -> dict[str, Numbers]:
    """Return every metric in each replicate.

    Args:
        weights: replicates of `groups["weight_sum"]`.
    """
    own, total = groups["weight_sum"], weights.sum(axis=-1)
    values = decision_values(measure_classes(groups["label"], groups["predicted"], weights, classes))
    if not has_probabilities:
        return of_rows(values, total)
    is_hit = (groups["label"] == groups["predicted"]).astype(float)
    in_bin = np.eye(CALIBRATION_BINS)[groups["p_bin"].astype(int)]
    gaps = (weights * (is_hit - divide(groups["sum_p"], own))) @ in_bin
    values |= {
        "logLoss": divide(weights @ divide(groups["loss"], own), total),
        "brierScore": divide(weights @ divide(groups["brier"], own), total),
        "calibrationError": divide(np.abs(gaps).sum(axis=-1), total),
    }
    return of_rows(values, total)


def as_baseline(groups: Groups, shares: Numbers) -> Groups:
    """Return the same rows scored by a model that gives each the probabilities `shares`, whatever it is."""
    own, labels = groups["weight_sum"], groups["label"]
    kept = np.clip(shares[labels], LOG_LOSS_EPSILON, 1 - LOG_LOSS_EPSILON)
    chosen = int(np.argmax(shares))
    p_bin = int(np.searchsorted(EDGES, shares[chosen]))
    return {
        **groups,
        "predicted": np.full_like(labels, chosen),
        "p_bin": np.full(len(labels), p_bin),
        "loss": own * -np.log(kept),
        "brier": own * ((shares**2).sum() - 2 * shares[labels] + 1),
        "sum_p": own * shares[chosen],
    }


def shares_of(totals: Mapping[int, float], classes: int) -> Numbers:
    """Return each class's share of the weight."""
    by_class = np.array([totals.get(index, 0.0) for index in range(classes)])
    return divide(by_class, by_class.sum())
