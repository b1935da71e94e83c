"""Recommends with a fitted ALS model: factors, and whom it is for, in; the best of what they have not seen out.

All that grows with users or items is done by Spark's own blocked top-k (`recommendForUserSubset`) and by joins.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlml.ir.state import Column
from sqlml.run.ml.estimator import role_column
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.role_stages import ID_ROLES, id_text, text_column
from sqlml.run.tables import union_all

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame

Side = Literal["user", "item"]
USER, ITEM = role_column("user"), role_column("item")


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that a fitted pipeline knows.

    Attributes:
        indexer: Spark's StringIndexerModel of users and items.
        als: Spark's ALSModel.
    """

    indexer: Any
    als: Any

    @classmethod
    def of(cls, fitted: PipelineModel) -> Ids:
        """Take the stages of a pipeline that ends with an ALSModel."""
        return cls(fitted.stages[-2], fitted.stages[-1])

    def count(self, side: Side) -> int:
        """Return how many there are."""
        return len(self.indexer._java_obj.labelsArray()[ID_ROLES.index(side)])

    def index(self, rows: DataFrame, columns: Mapping[Side, Column]) -> DataFrame:
        """Return the distinct ids of `rows` by index, under the names of roles; unknown ones left out.

        Args:
            columns: where they stand, with the type that they had at the fit.
        """
        texts = rows.selectExpr(
            *[f"{id_text(column.name, column.type)} AS {text_column(side)}" for side, column in columns.items()]
        )
        names = [role_column(side) for side in columns]
        indexed = self.indexer.transform(texts).selectExpr(*[f"CAST({name} AS INT) AS {name}" for name in names])
        known = " AND ".join(f"{role_column(side)} < {self.count(side)}" for side in columns)
        found: DataFrame = indexed.where(known).distinct()
        return found

    def name(self, rows: DataFrame, side: Side, index: str, column: Column) -> DataFrame:
        """Return `rows` with the ids of the indexes in column `index`, as another column."""
        from pyspark.ml.feature import IndexToString
        from pyspark.sql import functions as sf

        text = f"{index}_name"
        inverse: Any = IndexToString(inputCol=index, outputCol=text)
        # In Java from the one to the other: there may be millions.
        inverse._java_obj.setLabels(self.indexer._java_obj.labelsArray()[ID_ROLES.index(side)])
        named: DataFrame = inverse.transform(rows)
        return named.select("*", sf.col(text).cast(column.type).alias(column.name)).drop(text)


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom the best are looked for.

    Attributes:
        side: whether for users or for items.
        top: how many of the other side for each.
        wanted: their indexes, under the role's name; None: all that were fitted on.
        seen: pairs of indexes that are left out; None: none are.
    """

    side: Side
    top: int
    wanted: DataFrame | None = None
    seen: DataFrame | None = None

    @property
    def names(self) -> tuple[str, str]:
        """The columns of this side and of the other."""
        return (USER, ITEM) if self.side == "user" else (ITEM, USER)


def best(ids: Ids, asked: Asked, stack: ExitStack) -> DataFrame:
    """Return for each user (or item) the items (or users) with the greatest predictions.

    Args:
        stack: frees what is kept, once the rows have been read.

    Returns:
        Columns: the indexes of both under the roles' names, `rank` from 1 (of equal predictions the lower index comes
        first) and `score`.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sf

    own, other = asked.names
    wanted = asked.wanted
    if wanted is None:
        factors = ids.als.userFactors if asked.side == "user" else ids.als.itemFactors
        wanted = factors.selectExpr(f"id AS {own}")
    found = _without_seen(ids, asked, wanted, stack)
    order = Window.partitionBy(own).orderBy(sf.desc("score"), other)
    ranked = found.withColumn("rank", sf.row_number().over(order))
    return ranked.where(sf.col("rank") <= asked.top)


def _without_seen(ids: Ids, asked: Asked, wanted: DataFrame, stack: ExitStack) -> DataFrame:
    """Return enough for each of `wanted`, what was seen left out.

    To be sure of `top`, as many more are asked for as were seen. Those who saw about as much are asked for together,
    so that who saw everything does not make it as expensive for who saw little.
    """
    from pyspark.sql import functions as sf

    if asked.seen is None:
        return _recommend(ids, asked, wanted, asked.top)
    own, _ = asked.names
    most = ids.count("item" if asked.side == "user" else "user")
    seen = persisted(stack, asked.seen)
    counts = seen.groupBy(own).agg(sf.count(sf.lit(1)).alias("n"))
    doubled = wanted.join(counts, own, "left").selectExpr(own, "ceil(log2(coalesce(n, 0) + 1)) AS doublings")
    grouped = persisted(stack, doubled)
    doublings = sorted(row.doublings for row in grouped.select("doublings").distinct().collect())
    parts = [
        _recommend(ids, asked, grouped.where(f"doublings = {n}").select(own), min(asked.top + 2**n - 1, most))
        for n in doublings or [0]
    ]
    return union_all(parts).join(seen, [USER, ITEM], "left_anti")


def _recommend(ids: Ids, asked: Asked, wanted: DataFrame, top: int) -> DataFrame:
    recommend = ids.als.recommendForUserSubset if asked.side == "user" else ids.als.recommendForItemSubset
    pairs: DataFrame = recommend(wanted, top).selectExpr(asked.names[0], "inline(recommendations)")
    return pairs.selectExpr(USER, ITEM, "CAST(rating AS DOUBLE) AS score")


def similar_items(ids: Ids, top: int, wanted: DataFrame | None = None) -> DataFrame:
    """Return for each item the `top` others with the greatest cosine similarity of their factors.

    It is Spark's own top-k over factors of length 1, of items for items. An item without any factor is like no other.

    Returns:
        Columns: `item_index` and `similar_index`, `rank` from 1 and `similarity`.
    """
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import Window
    from pyspark.sql import functions as sf

    length = "sqrt(aggregate(features, 0D, (total, x) -> total + x * x))"
    unit: DataFrame = (
        ids.als.itemFactors.selectExpr("id", "features", f"{length} AS length")
        .where("length > 0")
        .selectExpr("id", "transform(features, x -> CAST(x / length AS FLOAT)) AS features")
    )
    jvm: Any = unit.sparkSession._jvm
    java = jvm.org.apache.spark.ml.recommendation.ALSModel("similar_items", ids.als.rank, unit._jdf, unit._jdf)
    alike = ALSModel(java.setUserCol("item_index").setItemCol("similar_index"))
    asked = unit.selectExpr("id AS item_index") if wanted is None else wanted.selectExpr(f"{ITEM} AS item_index")
    # One more, for the item itself.
    pairs = alike.recommendForUserSubset(asked, min(top + 1, ids.count("item"))).selectExpr(
        "item_index", "inline(recommendations)"
    )
    others = pairs.where("item_index != similar_index").selectExpr(
        "item_index", "similar_index", "CAST(rating AS DOUBLE) AS similarity"
    )
    order = Window.partitionBy("item_index").orderBy(sf.desc("similarity"), "similar_index")
    return others.withColumn("rank", sf.row_number().over(order)).where(sf.col("rank") <= top)
