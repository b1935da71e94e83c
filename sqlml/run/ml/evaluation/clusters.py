"""Measures a clustering: scored rows and the fitted model in, values of its metrics out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Returns
from sqlml.run.ml.outputs import centre_distance

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def cluster_values(scored: DataFrame, fitted: Any, returns: Returns) -> dict[str, float]:
    """Return what the scored rows of one dataset measure; each counts once, as in Spark's own evaluator."""
    from pyspark.ml.evaluation import ClusteringEvaluator
    from pyspark.sql import functions as sf

    if returns is Returns.TOPICS:
        return {"logPerplexity": fitted.logPerplexity(scored), "logLikelihood": fitted.logLikelihood(scored)}
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
