"""Measures a clustering: scored rows and the fitted model in, its metrics, whole and by slice, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Returns
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.state import Metric
from sqlml.run.ml.evaluation.rows import SLICES, rows_to_measure
from sqlml.run.ml.outputs import centre_distance, dot

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_UNIT = f"{INTERNAL_PREFIX}unit"


def cluster_metrics(dataset: str, scored: DataFrame, fitted: Any, returns: Returns) -> Iterator[Metric]:
    """Yield what the scored rows of one dataset measure; each counts once, as in Spark's own evaluator.

    Args:
        scored: kept, for they are read several times.
    """
    if returns is Returns.TOPICS:
        yield Metric(dataset, "logPerplexity", float(fitted.logPerplexity(scored)))
        yield Metric(dataset, "logLikelihood", float(fitted.logLikelihood(scored)))
        return
    yield from _of_all(dataset, scored, fitted, returns)
    if SLICES in scored.columns:
        yield from _of_slices(dataset, scored, fitted, returns)


def _of_all(dataset: str, scored: DataFrame, fitted: Any, returns: Returns) -> Iterator[Metric]:
    from pyspark.ml.evaluation import ClusteringEvaluator
    from pyspark.sql import functions as sf

    measure = "cosine" if _is_cosine(fitted, returns) else "squaredEuclidean"
    counts = [sf.count("*").alias("n"), sf.countDistinct("prediction").alias("clusters")]
    row = scored.agg(*counts, sf.sum(_cost(fitted, returns)).alias("cost")).collect()[0]
    if row["cost"] is not None:
        yield Metric(dataset, "trainingCost", float(row["cost"]), rows=row["n"])
    # With one cluster there is no other to be far from.
    if row["clusters"] > 1:
        value = ClusteringEvaluator(distanceMeasure=measure).evaluate(scored)
        yield Metric(dataset, "silhouette", float(value), rows=row["n"])


def _of_slices(dataset: str, scored: DataFrame, fitted: Any, returns: Returns) -> Iterator[Metric]:
    """Yield the metrics of each slice among its own rows, of all slices in two scans.

    Spark's evaluator would read the rows three times for each of them.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.ml.stat import Summarizer
    from pyspark.sql import functions as sf

    features = sf.col("features")
    if _is_cosine(fitted, returns):
        # Of rows of length 1 the squared euclidean distance is twice that by cosine, and a silhouette has no unit.
        from pyspark.ml.feature import Normalizer

        scored, features = Normalizer(inputCol="features", outputCol=_UNIT).transform(scored), sf.col(_UNIT)
    place = vector_to_array(features)
    expressions = {
        "cluster": sf.col("prediction"),
        "point": features,
        "norm": dot(place, place),
        "cost": _cost(fitted, returns),
    }
    points = rows_to_measure({dataset: scored}, expressions).where("slice != ''")
    groups = points.groupBy("slice", "cluster").agg(
        sf.count("*").alias("n"), sf.sum("norm").alias("norms"), Summarizer.sum(sf.col("point")).alias("total")
    )
    group = sf.struct("cluster", "n", "norms", vector_to_array(sf.col("total")).alias("total"))
    by_slice = groups.groupBy("slice").agg(sf.collect_list(group).alias("clusters"))
    met = points.withColumn("point", vector_to_array(sf.col("point"))).join(sf.broadcast(by_slice), "slice")
    measured = met.withColumns(_distances()).groupBy("slice")
    values = [sf.count("*").alias("n"), sf.sum("cost").alias("cost"), sf.avg(_silhouette()).alias("silhouette")]
    for row in measured.agg(*values).orderBy("slice").collect():
        for name, value in (("trainingCost", row["cost"]), ("silhouette", row["silhouette"])):
            if value is not None:
                yield Metric(dataset, name, float(value), row["slice"], row["n"])


def _distances() -> dict[str, Column]:
    """Return a row's mean squared distance to the other rows of its own cluster, and to those of the nearest other.

    By sums over clusters, as in Spark's `SquaredEuclideanSilhouette`: of x to the n rows y of a cluster it is
    |x|² + sum |y|² / n - 2 x · (sum y) / n. `own` is null where there is no other row, `nearest` where there is no
    other cluster.
    """
    from pyspark.sql import functions as sf

    def mean(group: Column) -> Column:
        return sf.col("norm") + (group["norms"] - dot(sf.col("point"), group["total"]) * 2) / group["n"]

    own = sf.filter("clusters", lambda group: group["cluster"] == sf.col("cluster"))[0]
    others = sf.filter("clusters", lambda group: group["cluster"] != sf.col("cluster"))
    # The mean over a cluster has the row itself in it, at no distance.
    return {
        "own": sf.when(own["n"] > 1, mean(own) * own["n"] / (own["n"] - 1)),
        "nearest": sf.array_min(sf.transform(others, mean)),
    }


def _silhouette() -> Column:
    from pyspark.sql import functions as sf

    # 0 is also the value of a row alone in its cluster, as in Spark, and of rows that are all at one place: they
    # have no distance to divide by, or one a rounding error off 0.
    return sf.expr(
        "CASE WHEN own < nearest THEN coalesce(1 - try_divide(own, nearest), 0D)"
        " WHEN own > nearest THEN coalesce(try_divide(nearest, own) - 1, 0D)"
        " WHEN nearest IS NOT NULL THEN 0D END"
    )


def _cost(fitted: Any, returns: Returns) -> Column:
    """Return what a row adds to the cost of a clustering that knows its centres; null for another."""
    from pyspark.sql import functions as sf

    if returns is not Returns.DISTANCE:
        return sf.lit(None).cast("double")
    distance = centre_distance(fitted)
    return distance if _is_cosine(fitted, returns) else distance * distance


def _is_cosine(fitted: Any, returns: Returns) -> bool:
    return returns is Returns.DISTANCE and fitted.getDistanceMeasure() == "cosine"
