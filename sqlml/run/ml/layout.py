"""The row layout that makes a fit repeatable: rows and keys in, the same rows in pinned partitions and order out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.state import Column
from sqlml.ir.type_rules import is_atomic, is_hashable
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

ROWS_PER_PARTITION = 50_000
MOST_PARTITIONS = 200


def partition_count(rows: int) -> int:
    """Return in how many partitions `rows` rows are laid out: one per 50,000, at least 1 and at most 200.

    Sums of floating-point numbers depend on their order, so the partitions may not depend on the cores. Since Spark 4.1
    (SPARK-51379) an estimator's partial sums meet in one task, in the order of the partitions, and a fit repeats bit
    for bit on any number of cores of one machine. Spark 4.0 adds them in the driver as tasks end, and several
    executors fetch from each other in no fixed order: with three partitions or more the last bits may differ there.
    """
    return min(max(math.ceil(rows / ROWS_PER_PARTITION), 1), MOST_PARTITIONS)


def lay_out(rows: DataFrame, keys: Sequence[str], partitions: int) -> DataFrame:
    """Return `rows` in `partitions` partitions by the hash of `keys`, each sorted by `keys`, then by the row's hash.

    Without keys, all columns that hold one value are taken for them. Neither the cores, nor adaptive execution, nor
    `spark.sql.shuffle.partitions`, nor the order in which the rows come makes a difference.
    """
    from pyspark.sql import functions as sf

    columns = own_columns(rows)
    by = [sf.col(quote(name)) for name in keys or [column.name for column in columns if is_atomic(column.type)]]
    return rows.repartition(partitions, *by).sortWithinPartitions(*by, row_hash(rows))


def row_hash(rows: DataFrame) -> SparkColumn:
    """Return the 64-bit hash of all columns that can be hashed, in their order."""
    from pyspark.sql import functions as sf

    return sf.xxhash64(*[sf.col(quote(column.name)) for column in own_columns(rows) if is_hashable(column.type)])


def own_columns(rows: DataFrame) -> list[Column]:
    """Return the columns of `rows` but those that sqlml added, which must not decide where a row goes."""
    return [column for column in columns_of(rows.schema) if not column.name.startswith(INTERNAL_PREFIX)]


def persisted(stack: ExitStack, rows: DataFrame) -> DataFrame:
    """Return `rows`, kept once they have been computed, until `stack` ends."""
    stack.callback(rows.unpersist)
    return rows.persist()
