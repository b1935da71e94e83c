"""Makes the relations of `outputs:`: a fitted model and what an output reads in, its rows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlml.ir.dag import MlOutputNode
from sqlml.ir.state import Version
from sqlml.run.ml.centres import centre_rows
from sqlml.run.ml.ml_tables import ml_table_rows

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


_MAKERS: Mapping[str, Callable[[Making], DataFrame]] = {
    "centres": lambda making: centre_rows(making.spark, making.fitted, making.version),
}
