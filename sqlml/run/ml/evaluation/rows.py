"""The rows that are measured: scored rows by dataset in, one relation of them with dataset, slice and weight out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.run.ml.estimator import role_column
from sqlml.run.tables import union_all

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

SLICES = f"{INTERNAL_PREFIX}slices"
"""The column with the names of the slices that a row belongs to, an array; without it there are none."""

CARRIED = f"{INTERNAL_PREFIX}rival_"
"""Begins the names of the columns with what another version reads of a row; only held-out rows have them."""

WEIGHT = role_column("weight")

Groups = dict[str, "NDArray[Any]"]
"""What was collected, column by column."""


def parts_sql(rows: DataFrame) -> str:
    """Return the SQL of the slices that a row is in, `''` for all rows among them."""
    return f"concat(array(''), {SLICES})" if SLICES in rows.columns else "array('')"


def rows_to_measure(scored: Mapping[str, DataFrame], expressions: Mapping[str, Column], buckets: int = 0) -> DataFrame:
    """Return the rows of all datasets, one row for each slice that a row is in, and one for all rows (slice `''`).

    Args:
        scored: dataset to its scored rows.
        expressions: what is measured of a scored row, by name.
        buckets: if above 0, rows are dealt out to this many (column `bucket`) in their order.

    Returns:
        Columns: `dataset`, `slice`, `weight` (1 without a column of weights), those of `expressions`.
    """
    parts = [_of_dataset(dataset, rows, expressions, buckets) for dataset, rows in scored.items()]
    return union_all(parts)


def _of_dataset(dataset: str, rows: DataFrame, expressions: Mapping[str, Column], buckets: int) -> DataFrame:
    from pyspark.sql import functions as sf

    weight = sf.col(WEIGHT) if WEIGHT in rows.columns else sf.lit(1.0)
    columns = [sf.lit(dataset).alias("dataset"), weight.alias("weight")]
    columns += [column.alias(name) for name, column in expressions.items()]
    if buckets:
        columns.append(sf.expr(f"CAST(pmod(monotonically_increasing_id(), {buckets}) AS INT)").alias("bucket"))
    if SLICES not in rows.columns:
        return rows.select(*columns, sf.lit("").alias("slice"))
    # Not in one step: a bucket is the row's, in whatever slices it is.
    whole = rows.select(*columns, sf.expr(parts_sql(rows)).alias("slices"))
    return whole.select("*", sf.explode("slices").alias("slice")).drop("slices")


def collect_groups(groups: DataFrame, order: Sequence[str]) -> dict[tuple[str, str], Groups]:
    """Return the groups of each dataset and slice, the datasets and slices in order.

    Args:
        order: names of the columns that the groups of a slice are sorted by.
    """
    table = groups.toArrow()
    columns = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    keys = list(zip(columns.pop("dataset").tolist(), columns.pop("slice").tolist(), strict=True))
    at: dict[tuple[str, str], list[int]] = {}
    for position, key in enumerate(keys):
        at.setdefault(key, []).append(position)
    found = {}
    for key in sorted(at, key=lambda key: (key[0] != "training", *key)):
        chosen = {name: values[at[key]] for name, values in columns.items()}
        by = np.lexsort([chosen[name] for name in reversed(order)])
        found[key] = {name: values[by] for name, values in chosen.items()}
    return found
