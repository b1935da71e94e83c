"""Measures a fitted model: scored rows with the label in, metrics out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.state import Metric
from sqlml.run.ml.estimator import LABEL, role_column
from sqlml.run.ml.outputs import centre_distance

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Spark's, in MulticlassMetrics.logLoss: a probability of 0 would be an infinite loss.
LOG_LOSS_EPSILON = 1e-15


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured; `by_class` has the measures of each class by its index, and is empty unless a classifier."""

    metrics: tuple[Metric, ...]
    by_class: tuple[Mapping[str, float], ...] = ()


def evaluate(scored: DataFrame, fitted: Any, entry: Estimator, dataset: str, classes: int) -> Evaluation:
    """Return what `scored` measures; its rows count once each whatever their weight.

    Args:
        scored: persisted; what the estimator reads, and the columns that Spark's fitted model adds.
        fitted: Spark's fitted model.
        entry: decides the metrics (`ir.metrics`); one that the rows do not define is left out.
        dataset: goes into the metrics.
        classes: how many classes; two give the metrics of the positive class and the areas under its curves.
    """
    by_class: tuple[Mapping[str, float], ...] = ()
    if entry.problem is Problem.CLASSIFICATION:
        values, by_class = _classification(scored, entry.returns, classes)
    elif entry.problem is Problem.REGRESSION:
        values = _regression(scored)
    elif entry.returns is Returns.TOPICS:
        values = {"logPerplexity": fitted.logPerplexity(scored), "logLikelihood": fitted.logLikelihood(scored)}
    else:
        values = _clustering(scored, fitted, entry.returns)
    return Evaluation(tuple(Metric(dataset, name, float(value)) for name, value in values.items()), by_class)


def measures_by_class(counts: Mapping[tuple[int, int], int], classes: int) -> tuple[dict[str, float], ...]:
    """Return the measures of each class that follow from `counts`: (label, prediction) to rows.

    What has no rows or predictions to be measured on is 0, as in Spark's MulticlassMetrics.
    """
    total = sum(counts.values())
    measures = []
    for index in range(classes):
        hits = counts.get((index, index), 0)
        predicted = sum(rows for (_, prediction), rows in counts.items() if prediction == index)
        actual = sum(rows for (label, _), rows in counts.items() if label == index)
        precision, recall = _share(hits, predicted), _share(hits, actual)
        measures.append(
            {
                "rows": actual,
                "precision": precision,
                "recall": recall,
                "fMeasure": _share(2 * precision * recall, precision + recall),
                "falsePositiveRate": _share(predicted - hits, total - actual),
            }
        )
    return tuple(measures)


def metrics_of_confusion(counts: Mapping[tuple[int, int], int], classes: int) -> dict[str, float]:
    """Return the metrics of all classes that follow from `counts`: (label, prediction) to rows."""
    total = sum(counts.values())
    of = measures_by_class(counts, classes)

    def weighted(name: str) -> float:
        return math.fsum(one[name] * one["rows"] for one in of) / total

    metrics = {
        "accuracy": sum(rows for (label, prediction), rows in counts.items() if label == prediction) / total,
        "f1": of[1]["fMeasure"] if classes == 2 else weighted("fMeasure"),
        "weightedPrecision": weighted("precision"),
        "weightedRecall": weighted("recall"),
        "weightedFMeasure": weighted("fMeasure"),
    }
    return metrics | ({"precision": of[1]["precision"], "recall": of[1]["recall"]} if classes == 2 else {})


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _classification(
    scored: DataFrame, returns: Returns, classes: int
) -> tuple[dict[str, float], tuple[Mapping[str, float], ...]]:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    label = sf.col(LABEL).cast("int")
    is_probable = returns is Returns.PROBABILITIES
    probability = sf.get(vector_to_array(sf.col("probability")), label) if is_probable else sf.lit(1.0)
    clipped = sf.least(sf.greatest(probability, sf.lit(LOG_LOSS_EPSILON)), sf.lit(1 - LOG_LOSS_EPSILON))
    groups = (
        scored.groupBy(label.alias("label"), sf.col("prediction").cast("int").alias("predicted"))
        .agg(sf.count(sf.lit(1)).alias("n"), sf.sum(-sf.log(clipped)).alias("loss"))
        .collect()
    )
    counts = {(group["label"], group["predicted"]): group["n"] for group in groups}
    # The order in which groups come is not fixed; an exact sum does not depend on it.
    loss = math.fsum(group["loss"] for group in groups) / sum(counts.values())
    metrics = metrics_of_confusion(counts, classes) | ({"logLoss": loss} if is_probable else {})
    metrics |= _areas(scored) if classes == 2 and returns.has_classes else {}
    return metrics, measures_by_class(counts, classes)


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
    # Where it had not happened yet, the label is no answer to be right or wrong about.
    if (censor := role_column("censor")) in scored.columns:
        scored = scored.where(f"{censor} = 1")
    error = f"({LABEL} - prediction)"
    row = scored.selectExpr(
        f"avg({error} * {error}) AS mse", f"avg(abs({error})) AS mae", f"var_pop({LABEL}) AS variance"
    ).collect()[0]
    if row["mse"] is None:
        return {}
    metrics = {"rmse": math.sqrt(row["mse"]), "mae": row["mae"], "mse": row["mse"]}
    # Of a label that is the same everywhere nothing can be explained.
    return metrics | ({"r2": 1 - row["mse"] / row["variance"]} if row["variance"] else {})


def _clustering(scored: DataFrame, fitted: Any, returns: Returns) -> dict[str, float]:
    from pyspark.ml.evaluation import ClusteringEvaluator
    from pyspark.sql import functions as sf

    measure, cost = "squaredEuclidean", sf.lit(None)
    if returns is Returns.DISTANCE:
        distance = centre_distance(fitted)
        is_cosine = fitted.getDistanceMeasure() == "cosine"
        measure = "cosine" if is_cosine else measure
        cost = distance if is_cosine else distance * distance
    row = scored.agg(sf.sum(cost).alias("cost"), sf.countDistinct("prediction").alias("clusters")).collect()[0]
    metrics = {"trainingCost": float(row["cost"])} if returns is Returns.DISTANCE else {}
    # With one cluster there is no other to be far from.
    if row["clusters"] > 1:
        metrics["silhouette"] = float(ClusteringEvaluator(distanceMeasure=measure).evaluate(scored))
    return metrics
