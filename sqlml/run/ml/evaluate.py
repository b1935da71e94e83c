"""Measures a fitted model: scored rows with the label in, metrics out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Problem
from sqlml.ir.state import Metric
from sqlml.run.ml.estimator import LABEL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Spark's, in MulticlassMetrics.logLoss: a probability of 0 would be an infinite loss.
LOG_LOSS_EPSILON = 1e-15


def evaluate(scored: DataFrame, problem: Problem, classes: int, dataset: str) -> tuple[Metric, ...]:
    """Return the metrics of `scored`, whose rows count once each whatever their weight.

    Args:
        scored: persisted; the label's index or value as `LABEL`, and the columns that Spark's fitted model adds.
        problem: decides the metrics (`ir.metrics`).
        classes: how many classes; two give the metrics of the positive class and the areas under its curves.
        dataset: goes into the metrics.
    """
    if problem is Problem.CLASSIFICATION:
        values = _classification(scored, classes)
    elif problem is Problem.REGRESSION:
        values = _regression(scored)
    else:
        values = _clustering(scored)
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
    from pyspark.sql import functions as F  # noqa: N812

    label = F.col(LABEL).cast("int")
    probability = F.get(vector_to_array(F.col("probability")), label)
    clipped = F.least(F.greatest(probability, F.lit(LOG_LOSS_EPSILON)), F.lit(1 - LOG_LOSS_EPSILON))
    groups = (
        scored.groupBy(label.alias("label"), F.col("prediction").cast("int").alias("predicted"))
        .agg(F.count(F.lit(1)).alias("n"), F.sum(-F.log(clipped)).alias("loss"))
        .collect()
    )
    counts = {(group["label"], group["predicted"]): group["n"] for group in groups}
    # The order in which groups come is not fixed; an exact sum does not depend on it.
    loss = math.fsum(group["loss"] for group in groups) / sum(counts.values())
    metrics = metrics_of_confusion(counts, classes) | {"logLoss": loss}
    return metrics | (_areas(scored) if classes == 2 else {})


def _areas(scored: DataFrame) -> dict[str, float]:
    """Return the areas under the ROC and the precision-recall curve over every distinct score."""
    from pyspark.ml.evaluation import BinaryClassificationEvaluator

    evaluator = BinaryClassificationEvaluator(labelCol=LABEL, numBins=0)
    evaluator._transfer_params_to_java()
    java: Any = evaluator._java_obj
    # One sort of the scores serves both areas; the Python method would sort for each.
    measured = java.getMetrics(scored._jdf)
    try:
        return {"areaUnderROC": measured.areaUnderROC(), "areaUnderPR": measured.areaUnderPR()}
    finally:
        measured.unpersist()


def _regression(scored: DataFrame) -> dict[str, float]:
    error = f"({LABEL} - prediction)"
    row = scored.selectExpr(
        f"avg({error} * {error}) AS mse", f"avg(abs({error})) AS mae", f"var_pop({LABEL}) AS variance"
    ).collect()[0]
    # Of a label that is the same everywhere nothing can be explained.
    r2 = 1 - row["mse"] / row["variance"] if row["variance"] else math.nan
    return {"rmse": math.sqrt(row["mse"]), "mae": row["mae"], "r2": r2, "mse": row["mse"]}


def _clustering(scored: DataFrame) -> dict[str, float]:
    from pyspark.ml.evaluation import ClusteringEvaluator

    row = scored.selectExpr("sum(distance * distance) AS cost", "count(DISTINCT prediction) AS clusters").collect()[0]
    metrics = {"trainingCost": float(row["cost"])}
    # With one cluster there is no other to be far from.
    if row["clusters"] > 1:
        metrics["silhouette"] = float(ClusteringEvaluator().evaluate(scored))
    return metrics
