"""Rows that lie near each other: a fitted model with a word `near:` and rows in, pairs of their keys out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.location import SourceLocation
from sqlml.ir.ml_outputs import NEAR_PREFIX
from sqlml.ir.state import Signature
from sqlml.run.ml.score import read_inputs
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame

_HASHERS = ("MinHashLSHModel", "BucketedRandomProjectionLSHModel")
_KEY = f"{INTERNAL_PREFIX}key_"


@dataclass(frozen=True, slots=True)
class Near:
    """The rows among which is looked, and how.

    Attributes:
        among: the rows that may be near.
        keys: the columns that tell rows apart.
        place: where it is asked for.
    """

    fitted: PipelineModel
    signature: Signature
    among: DataFrame
    keys: tuple[str, ...]
    place: SourceLocation


def nearest(near: Near, asked: DataFrame | None, top: int) -> DataFrame:
    """Return for each row of `asked` those that lie nearest: its keys, `rank` from 1, their keys, `distance`.

    They are looked for among the rows that share a hash with it, as Spark's `approxNearestNeighbors` does for one row;
    a row whose hashes nobody shares has none. Equally near ones are ordered by their keys.

    Args:
        near: the rows that may be near.
        asked: whom it is made for; None: each of the rows themselves. A row is never near itself.
        top: how many there are at most.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sf

    pairs = _pairs(near, asked, float("inf")).where(sf.expr(_differs(near.keys)))
    order = Window.partitionBy(*_sides(near.keys, "A")).orderBy("distance", *_sides(near.keys, "B"))
    ranked = pairs.withColumn("rank", sf.row_number().over(order)).where(sf.col("rank") <= top)
    return ranked.select(*_named(near.keys, "A", ""), "rank", *_named(near.keys, "B", NEAR_PREFIX), "distance")


def within(near: Near, asked: DataFrame | None, most: float) -> DataFrame:
    """Return the pairs of rows that are less than `most` apart: the keys of both, and their `distance`.

    Args:
        near: the rows that may be near.
        asked: pairs of one of these and one of `near`; None: pairs of the rows themselves, each once.
        most: the distance: Euclidean, or for `min_hash` the share of elements that the two do not have in common.
    """
    from pyspark.sql import functions as sf

    pairs = _pairs(near, asked, most).where(sf.expr(_differs(near.keys) if asked is not None else _precedes(near.keys)))
    return pairs.select(*_named(near.keys, "A", ""), *_named(near.keys, "B", NEAR_PREFIX), "distance")


def _pairs(near: Near, asked: DataFrame | None, most: float) -> DataFrame:
    stages: Sequence[Any] = near.fitted.stages
    at = next((number for number, stage in enumerate(stages) if type(stage).__name__ in _HASHERS), None)
    if at is None:
        what = f"the champion of '{near.signature.ml_model}' has no hashes by which rows are near"
        raise DataError(what, near.place, "fit it again with --retrain, or promote a version that has a 'near:'")
    rows = [_hashed(near, stages[: at + 1], side) for side in (near.among if asked is None else asked, near.among)]
    pairs: DataFrame = stages[at].approxSimilarityJoin(*rows, most, distCol="distance")
    return pairs


def _hashed(near: Near, stages: Sequence[Any], rows: DataFrame) -> DataFrame:
    from pyspark.sql import functions as sf

    types = {column.name.lower(): column.type for column in columns_of(near.among.schema)}
    keys = [
        sf.col(quote(key)).cast(types[key.lower()]).alias(f"{_KEY}{number}") for number, key in enumerate(near.keys)
    ]
    hashed = rows.select(*keys, *read_inputs(rows, near.signature))
    for stage in stages:
        hashed = stage.transform(hashed)
    hasher = stages[-1]
    return hashed.select(*[f"{_KEY}{n}" for n in range(len(keys))], hasher.getInputCol(), hasher.getOutputCol())


def _sides(keys: Sequence[str], side: str) -> list[str]:
    return [f"dataset{side}.{_KEY}{number}" for number in range(len(keys))]


def _named(keys: Sequence[str], side: str, prefix: str) -> list[Any]:
    from pyspark.sql import functions as sf

    return [sf.col(path).alias(f"{prefix}{key}") for path, key in zip(_sides(keys, side), keys, strict=True)]


def _differs(keys: Sequence[str]) -> str:
    return f"NOT ({_key_of(keys, 'A')} <=> {_key_of(keys, 'B')})"


def _precedes(keys: Sequence[str]) -> str:
    return f"{_key_of(keys, 'A')} < {_key_of(keys, 'B')}"


def _key_of(keys: Sequence[str], side: str) -> str:
    return f"struct({', '.join(_sides(keys, side))})"
