"""Measures a fitted model: scored rows with the label in, metrics out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlml.ir.estimators import Problem
from sqlml.ir.state import Metric
from sqlml.run.ml.estimator import LABEL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Spark's, in MulticlassMetrics.logLoss: a probability of 0 would be an infinite loss.
LOG_LOSS_EPSILON = 1e-15


def evaluate(scored: DataFrame, problem: Problem, dataset: str, classes: int, measure: str) -> tuple[Metric, ...]:
    """Return the metrics of `scored`, whose rows count once each whatever their weight.

    Args:
        scored: persisted; the label's index or value as `LABEL`, and the columns that Spark's fitted model adds;
            for a clustering also `cost`.
        problem: decides the metrics (`ir.metrics`); one that the rows do not define is left out.
        dataset: goes into the metrics.
        classes: how many classes; two give the metrics of the positive class and the areas under its curves.
        measure: how a clustering's silhouette measures distance, by the evaluator's names.
    """
    if problem is Problem.CLASSIFICATION:
        values = _classification(scored, classes)
    elif problem is Problem.REGRESSION:
        values = _regression(scored)
    else:
        values = _clustering(scored, measure)
    return tuple(Metric(dataset, name, value) for name, value in values.items())


def metrics_of_confusion(counts: Mapping[tuple[int, int], int], classes: int) -> dict[str, float]:
    """Return the metrics that follow from `counts`: (label, prediction) to rows.

    Precision, recall and F1 of a class without rows or predictions are 0, as in Spark's MulticlassMetrics.
    """
    total = sum(counts.values())
    precision, recall, f1, share = [], [], [], []
    for index in range(classes):
        hits = counts.get((index, index), 0)
        predicted = sum(rows for (_, prediction), rows in counts.items() if prediction == index)
        actual = sum(rows for (label, _), rows in counts.items() if label == index)
        precision.append(hits / predicted if predicted else 0.0)
        recall.append(hits / actual if actual else 0.0)
        both = precision[-1] + recall[-1]
        f1.append(2 * precision[-1] * recall[-1] / both if both else 0.0)
        share.append(actual / total)
    weighted_f1 = _weighted(f1, share)
    metrics = {
        "accuracy": sum(rows for (label, prediction), rows in counts.items() if label == prediction) / total,
        "f1": f1[1] if classes == 2 else weighted_f1,
        "weightedPrecision": _weighted(precision, share),
        "weightedRecall": _weighted(recall, share),
        "weightedFMeasure": weighted_f1,
    }
    return metrics | ({"precision": precision[1], "recall": recall[1]} if classes == 2 else {})


def _weighted(values: Sequence[float], share: Sequence[float]) -> float:
    return math.fsum(value * part for value, part in zip(values, share, strict=True))


def _classification(scored: DataFrame, classes: int) -> dict[str, float]:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    label = sf.col(LABEL).cast("int")
    probability = sf.get(vector_to_array(sf.col("probability")), label)
    clipped = sf.least(sf.greatest(probability, sf.lit(LOG_LOSS_EPSILON)), sf.lit(1 - LOG_LOSS_EPSILON))
    groups = (
        scored.groupBy(label.alias("label"), sf.col("prediction").cast("int").alias("predicted"))
        .agg(sf.count(sf.lit(1)).alias("n"), sf.sum(-sf.log(clipped)).alias("loss"))
        .collect()
    )
    counts = {(group["label"], group["predicted"]): group["n"] for group in groups}
    # The order in which groups come is not fixed; an exact sum does not depend on it.
    loss = math.fsum(group["loss"] for group in groups) / sum(counts.values())
    metrics = metrics_of_confusion(counts, classes) | {"logLoss": loss}
    return metrics | (_areas(scored) if classes == 2 else {})


def _areas(scored: DataFrame) -> dict[str, float]:
    """Return the areas under the ROC and the precision-recall curve by the trapezoid rule over every distinct score.

    Spark's BinaryClassificationMetrics without bins, by counts of rows, so that no order of summing makes a difference;
    nothing where a class has no rows.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import Window
    from pyspark.sql import functions as sf

    scores = scored.groupBy(sf.get(vector_to_array(sf.col("rawPrediction")), sf.lit(1)).alias("score")).agg(
        sf.expr(f"count_if({LABEL} = 1)").alias("positive"), sf.expr(f"count_if({LABEL} = 0)").alias("negative")
    )
    best_first = Window.orderBy(sf.desc("score"))
    curve = scores.select(
        "score",
        "positive",
        "negative",
        *[sf.sum(name).over(best_first.rowsBetween(Window.unboundedPreceding, 0)).alias(f"{name}s")
          for name in ("positive", "negative")],
    ).withColumn("precision", sf.expr("positives / (positives + negatives)"))  # fmt: skip
    before = sf.coalesce(sf.lag("precision").over(best_first), sf.col("precision")).alias("before")
    row = (
        curve.select("*", before)
        .selectExpr(
            "sum(negative * (2 * positives - positive)) AS roc",
            "sum(positive * (precision + before)) AS pr",
            "sum(positive) AS positives",
            "sum(negative) AS negatives",
        )
        .collect()[0]
    )
    if not row["positives"] or not row["negatives"]:
        return {}
    return {
        "areaUnderROC": row["roc"] / (2 * row["positives"] * row["negatives"]),
        "areaUnderPR": row["pr"] / (2 * row["positives"]),
    }


def _regression(scored: DataFrame) -> dict[str, float]:
    error = f"({LABEL} - prediction)"
    row = scored.selectExpr(
        f"avg({error} * {error}) AS mse", f"avg(abs({error})) AS mae", f"var_pop({LABEL}) AS variance"
    ).collect()[0]
    metrics = {"rmse": math.sqrt(row["mse"]), "mae": row["mae"], "mse": row["mse"]}
    # Of a label that is the same everywhere nothing can be explained.
    return metrics | ({"r2": 1 - row["mse"] / row["variance"]} if row["variance"] else {})


def _clustering(scored: DataFrame, measure: str) -> dict[str, float]:
    from pyspark.ml.evaluation import ClusteringEvaluator

    row = scored.selectExpr("sum(cost) AS cost", "count(DISTINCT prediction) AS clusters").collect()[0]
    metrics = {"trainingCost": float(row["cost"])}
    # With one cluster there is no other to be far from.
    if row["clusters"] > 1:
        metrics["silhouette"] = float(ClusteringEvaluator(distanceMeasure=measure).evaluate(scored))
    return metrics
