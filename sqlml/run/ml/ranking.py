"""Measures recommendations: a fitted ALS model, training and held-out pairs in, metrics of the first k places out.

What is measured of a user is summed up by Spark, over a few hundred buckets of users; a replicate draws buckets with
replacement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.ir.gates import measured_places
from sqlml.ir.metrics import measured_name
from sqlml.ir.project import MlModel
from sqlml.ir.state import Metric
from sqlml.run.ml.estimator import LABEL
from sqlml.run.ml.evaluation.evaluate import Question
from sqlml.run.ml.evaluation.measured import Measured
from sqlml.run.ml.evaluation.regression import BUCKETS
from sqlml.run.ml.evaluation.resampling import divide, draw_weights
from sqlml.run.ml.evaluation.rows import Groups, collect_groups, parts_sql
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.recommend import ITEM, USER, Asked, Ids, best

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

_AS_INTEGERS = tuple(f"CAST({name} AS INT) AS {name}" for name in (USER, ITEM))
_MEANS = ("ndcgAtK", "meanAveragePrecisionAtK", "precisionAtK", "recallAtK")
_COVERAGE = "coverageAtK"
RANKS, OTHER_RANKS = "ranks", "other_ranks"
"""The columns with the places at which relevant items are recommended: by the fit, and by what it is compared with."""
_IS_OF = {RANKS: "NOT is_other", OTHER_RANKS: "is_other"}


def rank_metrics(
    ids: Ids, ml_model: MlModel, training: DataFrame, held_out: DataFrame, *, dataset: str, question: Question
) -> tuple[Metric, ...]:
    """Return the metrics of what is recommended to the users of the held-out rows, their mean over users.

    To each user the items are recommended that no training row of theirs has. Relevant are the held-out items, or
    those with a rating of at least `relevant_from`; of a slice, those of its rows. Users without one are left out, as
    are those that no training row has, to whom nothing can be recommended. The formulas are those of Spark's
    RankingMetrics. The trivial model recommends the items that most training rows have.

    Args:
        training, held_out: users, items, ratings and slices by the roles' names.
        dataset: goes into the metrics.
    """
    places = measured_places(ml_model)
    with ExitStack() as stack:
        relevant = persisted(stack, _relevant(ids, held_out, ml_model.relevant_from))
        wanted, seen = relevant.select(USER).distinct(), training.selectExpr(*_AS_INTEGERS).distinct()
        found = best(ids, Asked("user", places[-1], wanted, seen), stack).selectExpr(
            USER, ITEM, "rank", "false AS is_other"
        )
        popular = _most_popular(wanted, seen, places[-1], ids.count("item"))
        shown = persisted(stack, found.unionAll(popular.selectExpr(USER, ITEM, "rank", "true AS is_other")))
        users = group_users(shown, relevant, places).selectExpr(f"'{dataset}' AS dataset", "*")
        groups = collect_groups(users, ("bucket",))
        spread = {row["slice"]: row.asDict() for row in _count_shown(shown, relevant, places).collect()}
    items = ids.count("item")
    return tuple(
        metric
        for (_, part), one in groups.items()
        for metric in _measured(one, spread.get(part, {}), items, places, question.replicates((dataset, part))).metrics(
            dataset, part
        )
    )


def _relevant(ids: Ids, held_out: DataFrame, least: float | None) -> DataFrame:
    """Return the items that each user should be recommended: `slice`, and the indexes of both."""
    from pyspark.sql import functions as sf

    rows = held_out if least is None else held_out.where(sf.col(LABEL) >= sf.lit(float(least)))
    pairs = rows.where(f"{USER} < {ids.count('user')}").selectExpr(
        f"explode({parts_sql(rows)}) AS slice", *_AS_INTEGERS
    )
    items = ids.count("item")
    # Of the items that no training row has it is not known which are the same; each counts.
    return pairs.where(f"{ITEM} < {items}").distinct().unionAll(pairs.where(f"{ITEM} = {items}"))


def _most_popular(wanted: DataFrame, seen: DataFrame, top: int, items: int) -> DataFrame:
    """Return for each user the `top` items that most training rows have, what was seen left out; with their `rank`."""
    from pyspark.sql import functions as sf

    own = seen.join(wanted, USER, "left_semi").groupBy(USER).agg(sf.collect_list(ITEM).alias("own"))
    # The indexer numbers items by how many training rows have them, the most first, and then by their text.
    most = f"sequence(0, CAST(least({top} + size(own), {items}) AS INT) - 1)"
    listed = own.selectExpr(USER, f"posexplode(slice(array_except({most}, own), 1, {top})) AS (place, {ITEM})")
    return listed.selectExpr(USER, ITEM, "place + 1 AS rank")


def group_users(shown: DataFrame, relevant: DataFrame, places: Sequence[int]) -> DataFrame:
    """Return the sums of the users' metrics, by `slice` and `bucket`, with their number `n`.

    Args:
        shown: what is recommended: the user, the item, its `rank`, and whether it `is_other`.
        relevant: `slice`, the user and an item that the user should be recommended.
    """
    from pyspark.sql import functions as sf

    ranks = [
        sf.expr(f"sort_array(collect_list(rank) FILTER (WHERE {is_of}))").alias(name) for name, is_of in _IS_OF.items()
    ]
    hits = shown.join(relevant, [USER, ITEM]).groupBy("slice", USER).agg(*ranks)
    sizes = relevant.groupBy("slice", USER).agg(sf.count(sf.lit(1)).alias("relevant"))
    users = sizes.join(hits, ["slice", USER], "left").selectExpr(
        "slice",
        f"CAST(pmod(xxhash64({USER}), {BUCKETS}) AS INT) AS bucket",
        "relevant",
        *[f"coalesce({name}, CAST(array() AS ARRAY<INT>)) AS {name}" for name in _IS_OF],
    )
    sums = {"n": "count(1)"}
    for name in _IS_OF:
        for k in places:
            sums |= {_column(metric, k, name): f"sum({sql})" for metric, sql in _formulas(name, k).items()}
    return users.groupBy("slice", "bucket").agg(*[sf.expr(sql).alias(name) for name, sql in sums.items()])


def _formulas(ranks: str, k: int) -> Mapping[str, str]:
    """Return the SQL of a user's metrics.

    Args:
        ranks: the column with the places of what is relevant, rising.
    """
    hits = f"filter({ranks}, place -> place <= {k})"
    ideal = f"transform(sequence(1, CAST(least(relevant, {k}) AS INT)), place -> 1 / ln(place + 1))"
    gains = f"transform({hits}, place -> 1 / ln(place + 1))"
    precisions = f"transform({hits}, (place, before) -> (before + 1) / place)"
    total = "aggregate({}, 0D, (total, x) -> total + x)"
    return {
        "ndcgAtK": f"{total.format(gains)} / {total.format(ideal)}",
        "meanAveragePrecisionAtK": f"{total.format(precisions)} / least(relevant, {k})",
        "precisionAtK": f"size({hits}) / {k}",
        "recallAtK": f"size({hits}) / relevant",
    }


def _count_shown(shown: DataFrame, relevant: DataFrame, places: Sequence[int]) -> DataFrame:
    """Return for each slice how many items are recommended to any of its users."""
    from pyspark.sql import functions as sf

    users = relevant.select("slice", USER).distinct()
    first = shown.join(users, USER).groupBy("slice", "is_other", ITEM).agg(sf.min("rank").alias("first"))
    counts = [
        sf.expr(f"count_if(first <= {k} AND {is_of})").alias(_column(_COVERAGE, k, name))
        for name, is_of in _IS_OF.items()
        for k in places
    ]
    return first.groupBy("slice").agg(*counts)


def _column(metric: str, k: int, ranks: str) -> str:
    return f"{metric}_{k}_{ranks}"


def _measured(
    groups: Groups, spread: Mapping[str, Any], items: int, places: Sequence[int], replicates: int
) -> Measured:
    """Return what was measured of one slice.

    Args:
        spread: how many items are recommended to any of its users, by `_column`; empty: none are.
    """
    ones = np.ones(len(groups["n"]))
    weights = draw_weights(ones, ones, replicates) if replicates else None
    (values, drawn), (baseline, baseline_drawn) = (mean_values(groups, places, ranks, weights) for ranks in _IS_OF)
    own, popular = (
        {measured_name(_COVERAGE, k=k): spread.get(_column(_COVERAGE, k, ranks), 0) / items for k in places}
        for ranks in _IS_OF
    )
    return Measured(
        int(groups["n"].sum()), values | own, {}, baseline | popular, drawn=drawn, baseline_drawn=baseline_drawn
    )


def mean_values(
    groups: Groups, places: Sequence[int], ranks: str, weights: Numbers | None
) -> tuple[dict[str, float], dict[str, Numbers]]:
    """Return the means over users, and those of each replicate.

    Args:
        weights: how often each bucket counts in each replicate, replicates by buckets.
    """
    values, drawn = {}, {}
    for k in places:
        for metric in _MEANS:
            name, sums = measured_name(metric, k=k), groups[_column(metric, k, ranks)].astype(float)
            values[name] = float(sums.sum() / groups["n"].sum())
            if weights is not None:
                drawn[name] = divide(weights @ sums, weights @ groups["n"].astype(float), np.nan)
    return values, drawn
