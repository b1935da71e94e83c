"""Makes the relations of `outputs:`: a fitted model and what an output reads in, its rows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlml.ir.dag import MlOutputNode
from sqlml.ir.ml_outputs import DEFAULT_TOP
from sqlml.ir.state import Version
from sqlml.run.ml.centres import centre_rows
from sqlml.run.ml.ml_tables import ml_table_rows
from sqlml.run.ml.neighbours import Near, nearest, within

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True)
class Making:
    """What an output is made of.

    Attributes:
        version: of the fitted model.
        relations: what the node reads, by node id.
    """

    spark: SparkSession
    node: MlOutputNode
    version: Version
    fitted: PipelineModel
    relations: Mapping[str, DataFrame]


def make_output(making: Making) -> DataFrame:
    """Return the rows of an output.

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


_MAKERS: Mapping[str, Callable[[Making], DataFrame]] = {
    "centres": lambda making: centre_rows(making.spark, making.fitted, making.version),
    "neighbours": lambda making: nearest(_near(making), _asked(making), making.node.output.top or DEFAULT_TOP),
    "similar_pairs": lambda making: within(_near(making), _asked(making), making.node.output.max_distance or 0.0),
}
