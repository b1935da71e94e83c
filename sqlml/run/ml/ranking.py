"""Measures recommendations: a fitted ALS model, training and held-out pairs in, metrics of the first k places out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlml.ir.metrics import DEFAULT_K, measured_name
from sqlml.ir.project import MlModel
from sqlml.ir.state import Metric
from sqlml.run.ml.estimator import LABEL
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.recommend import ITEM, USER, Asked, Ids, best

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def rank_metrics(
    ids: Ids, ml_model: MlModel, training: DataFrame, held_out: DataFrame, dataset: str
) -> tuple[Metric, ...]:
    """Return the metrics of what is recommended to the users of the held-out rows, their mean over users.

    To each user the items are recommended that no training row of theirs has. Relevant are the held-out items, or
    those with a rating of at least `relevant_from`. Users without one are left out, as are those that no training row
    has, to whom nothing can be recommended. The formulas are those of Spark's RankingMetrics.

    Args:
        training, held_out: users, items and ratings by the roles' names.
        dataset: goes into the metrics.
    """
    liked = held_out if ml_model.relevant_from is None else _liked(held_out, ml_model.relevant_from)
    places = sorted({DEFAULT_K, *[gate.k for gate in ml_model.gates if gate.k is not None]})
    items = ids.count("item")
    with ExitStack() as stack:
        known = _pairs(liked.where(f"{ITEM} < {items}"))
        # Of the items that no training row has it is not known which are the same; each counts.
        unknown = liked.where(f"{ITEM} = {items}").selectExpr(*_AS_INTEGERS)
        relevant = persisted(stack, known.unionAll(unknown).where(f"{USER} < {ids.count('user')}"))
        asked = Asked("user", places[-1], relevant.select(USER).distinct(), _pairs(training))
        found = persisted(stack, best(ids, asked, stack))
        measured = [(name, k, value) for k in places for name, value in _measure(found, relevant, k, items)]
    return tuple(Metric(dataset, measured_name(name, k=k), value) for name, k, value in measured)


def _liked(rows: DataFrame, least: float) -> DataFrame:
    from pyspark.sql import functions as sf

    return rows.where(sf.col(LABEL) >= sf.lit(float(least)))


def _pairs(rows: DataFrame) -> DataFrame:
    return rows.selectExpr(*_AS_INTEGERS).distinct()


def _measure(found: DataFrame, relevant: DataFrame, k: int, items: int) -> Sequence[tuple[str, float]]:
    """Return the metrics of the first `k` places of `found`; none without a user to recommend to."""
    from pyspark.sql import Window
    from pyspark.sql import functions as sf

    first = found.where(sf.col("rank") <= k)
    hits = first.join(relevant, [USER, ITEM], "left_semi")
    so_far = sf.row_number().over(Window.partitionBy(USER).orderBy("rank"))
    by_user = (
        hits.withColumn("so_far", so_far)
        .groupBy(USER)
        .agg(
            sf.count(sf.lit(1)).alias("hits"),
            sf.sum(sf.expr("1 / ln(rank + 1)")).alias("gain"),
            sf.sum(sf.expr("so_far / rank")).alias("precisions"),
        )
    )
    sizes = relevant.groupBy(USER).agg(sf.count(sf.lit(1)).alias("n"))
    gains = f"aggregate(sequence(1, CAST(least(n, {k}) AS INT)), 0D, (total, i) -> total + 1 / ln(i + 1))"
    row = (
        sizes.join(by_user, USER, "left")
        .selectExpr(
            f"coalesce(gain, 0) / {gains} AS ndcgAtK",
            f"coalesce(precisions, 0) / least(n, {k}) AS meanAveragePrecisionAtK",
            f"coalesce(hits, 0) / {k} AS precisionAtK",
            "coalesce(hits, 0) / n AS recallAtK",
        )
        .selectExpr(*[f"avg({name}) AS {name}" for name in _MEANS])
        .collect()[0]
    )
    if row[_MEANS[0]] is None:
        return ()
    shown = first.select(ITEM).distinct().count()
    return [*[(name, float(row[name])) for name in _MEANS], ("coverageAtK", shown / items)]


_AS_INTEGERS = tuple(f"CAST({name} AS INT) AS {name}" for name in (USER, ITEM))
_MEANS = ("ndcgAtK", "meanAveragePrecisionAtK", "precisionAtK", "recallAtK")
