"""The row layout that makes a fit repeatable: rows and keys in, the same rows in pinned partitions and order out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlml.run.ml.sql_text import is_atomic, is_hashable
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

ROWS_PER_PARTITION = 50_000
MOST_PARTITIONS = 200
SPARK_DEPTH = 2
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """How many partitions rows are laid out in, and the depth of Spark's tree of partial sums that fits it."""

    partitions: int
    depth: int


def merged_at_driver(partitions: int, depth: int) -> int:
    """Return how many partial sums Spark's `RDD.treeAggregate` leaves for the driver to add."""
    scale = max(math.ceil(partitions ** (1 / depth)), 2)
    while partitions > scale + math.ceil(partitions / scale):
        partitions //= scale
    return partitions


def choose_layout(rows: int, depth: int | None = None) -> Layout:
    """Return the layout for `rows` rows: about 50,000 to a partition, and sums that repeat bit for bit.

    Spark's driver adds the last partial sums in the order in which their tasks end. Two can be added in either order;
    three or more round differently from run to run. So the count is raised to the next one whose tree ends in two or
    one: at Spark's own depth of 2 these are 1, 2, 6, 7, 8, 10 and 11; more partitions need a deeper tree.

    Args:
        rows: rows that are fitted on.
        depth: `aggregationDepth` if it is fixed; then the counts above a depth's largest are not used.
    """
    wanted = min(max(math.ceil(rows / ROWS_PER_PARTITION), 1), MOST_PARTITIONS)
    largest = Layout(1, depth or SPARK_DEPTH)
    for candidate_depth in (depth,) if depth is not None else range(SPARK_DEPTH, _DEEPEST + 1):
        for partitions in range(largest.partitions, MOST_PARTITIONS + 1):
            if merged_at_driver(partitions, candidate_depth) <= 2:
                largest = Layout(partitions, candidate_depth)
                if partitions >= wanted:
                    return largest
    return largest


def lay_out(rows: DataFrame, keys: Sequence[str], partitions: int) -> DataFrame:
    """Return `rows` in `partitions` partitions by the hash of `keys`, each sorted by `keys`, then by the row's hash.

    Without keys, all columns that hold one value are taken for them. Neither the cores, nor adaptive execution, nor
    `spark.sql.shuffle.partitions`, nor the order in which the rows come makes a difference.
    """
    from pyspark.sql import functions as F  # noqa: N812

    columns = columns_of(rows.schema)
    by = [F.col(quote(name)) for name in keys or [column.name for column in columns if is_atomic(column.type)]]
    return rows.repartition(partitions, *by).sortWithinPartitions(*by, row_hash(rows))


def row_hash(rows: DataFrame) -> Column:
    """Return the 64-bit hash of all columns that can be hashed, in their order."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.xxhash64(*[F.col(quote(column.name)) for column in columns_of(rows.schema) if is_hashable(column.type)])
