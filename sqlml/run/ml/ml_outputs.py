"""Makes the relations of `outputs:`: a fitted model and what an output reads in, its rows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.dag import MlOutputNode
from sqlml.ir.ml_outputs import DEFAULT_TOP
from sqlml.ir.signatures import find_misfit
from sqlml.ir.state import Column, Version
from sqlml.run.ml.artifact import FittedPart
from sqlml.run.ml.centres import centre_rows
from sqlml.run.ml.estimator import role_column
from sqlml.run.ml.ml_tables import ml_table_rows
from sqlml.run.ml.neighbours import Near, nearest, within
from sqlml.run.ml.recommend import Asked, Ids, Side, best, similar_items
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True)
class Making:
    """What an output is made of.

    Attributes:
        version: of the fitted model.
        parts: its fitted pipelines.
        relations: what the node reads, by node id.
        stack: frees what is kept, once the rows have been written.
    """

    spark: SparkSession
    node: MlOutputNode
    version: Version
    parts: Sequence[FittedPart]
    relations: Mapping[str, DataFrame]
    stack: ExitStack

    @property
    def fitted(self) -> PipelineModel:
        """Its only pipeline.

        Raises:
            DataError: it has one for each value of a column.
        """
        if len(self.parts) == 1 and self.version.signature.for_each is None:
            return self.parts[0].pipeline
        name, number = self.version.ml_model, self.version.version
        what = f"output '{self.node.name}' cannot be made from version {number} of '{name}', which has several"
        fix = f"fit it again without 'for_each:', or promote a version without: sqlml model promote {name} NUMBER"
        raise DataError(f"{what} fitted models: one for each {self.version.signature.for_each}", None, fix)

    @property
    def top(self) -> int:
        """How many rows there are for each."""
        return self.node.output.top or DEFAULT_TOP

    def id_column(self, role: str) -> Column:
        """Return the column of a role with its type, at the fit."""
        signature = self.version.signature
        return next(column for column in signature.inputs if column.name.lower() == signature.roles[role].lower())


def make_output(making: Making) -> DataFrame:
    """Return the rows of an output, lazily.

    Raises:
        DataError: the fitted model cannot give it, or a relation lacks a column.
    """
    node = making.node
    if node.is_called:
        return ml_table_rows(making.spark, making.version, node.output.kind, node.places.whole)
    return _MAKERS[node.output.kind](making)


def _near(making: Making) -> Near:
    node = making.node
    among = making.relations[node.among or ""]
    among = among.where(node.among_where) if node.among_where else among
    return Near(making.fitted, making.version.signature, among, node.keys, node.places.of("kind"))


def _asked(making: Making) -> DataFrame | None:
    return None if making.node.over is None else making.relations[making.node.over]


def _recommendations(making: Making, side: Side, other: Side) -> DataFrame:
    ids = Ids.of(making.fitted)
    seen = None
    if making.node.seen is not None:
        rows = making.relations[making.node.seen]
        rows = rows.where(making.node.seen_where) if making.node.seen_where else rows
        seen = _indexed(making, ids, rows, ("user", "item"))
    found = best(ids, Asked(side, making.top, _wanted(making, ids, side), seen), making.stack)
    rating = making.version.signature.roles["rating"]
    own, others = making.id_column(side), making.id_column(other)
    found = ids.name(found, side, role_column(side), own)
    found = ids.name(found, other, role_column(other), others)
    return found.withColumnRenamed("score", f"predicted_{rating}").select(
        *[quote(name) for name in (own.name, "rank", others.name, f"predicted_{rating}")]
    )


def _similar_items(making: Making) -> DataFrame:
    ids, item = Ids.of(making.fitted), making.id_column("item")
    found = similar_items(ids, making.top, _wanted(making, ids, "item"))
    similar = Column(f"similar_{item.name}", item.type)
    found = ids.name(ids.name(found, "item", "item_index", item), "item", "similar_index", similar)
    return found.select(*[quote(name) for name in (item.name, "rank", similar.name, "similarity")])


def _wanted(making: Making, ids: Ids, side: Side) -> DataFrame | None:
    over = making.node.over
    return None if over is None else _indexed(making, ids, making.relations[over], (side,))


def _indexed(making: Making, ids: Ids, rows: DataFrame, roles: tuple[Side, ...]) -> DataFrame:
    columns = {role: making.id_column(role) for role in roles}
    misfit = find_misfit(columns_of(rows.schema), tuple(columns.values()))
    if misfit:
        what = f"output '{making.node.name}' reads a relation that {misfit}"
        raise DataError(what, making.node.places.whole, "cast the ids in its SQL, or give them the names of the fit")
    return ids.index(rows, columns)


def _itemsets(making: Making) -> DataFrame:
    model: Any = making.fitted.stages[-1]
    found: DataFrame = model.freqItemsets.selectExpr("sort_array(items) AS items", "freq")
    return found


def _rules(making: Making) -> DataFrame:
    model: Any = making.fitted.stages[-1]
    sides = [f"sort_array({side}) AS {side}" for side in ("antecedent", "consequent")]
    found: DataFrame = model.associationRules.selectExpr(*sides, "confidence", "lift", "support")
    return found


_MAKERS: Mapping[str, Callable[[Making], DataFrame]] = {
    "centres": lambda making: centre_rows(making.spark, making.fitted, making.version),
    "neighbours": lambda making: nearest(_near(making), _asked(making), making.top),
    "similar_pairs": lambda making: within(_near(making), _asked(making), making.node.output.max_distance or 0.0),
    "recommend_items": lambda making: _recommendations(making, "user", "item"),
    "recommend_users": lambda making: _recommendations(making, "item", "user"),
    "similar_items": _similar_items,
    "itemsets": _itemsets,
    "rules": _rules,
}
