"""Which rows are held out: a split and typed columns in, two SQL conditions out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlml.ir.project import MlModel, Scalar, Split
from sqlml.ir.splits import resolve_split
from sqlml.ir.type_rules import is_hashable
from sqlml.run.ml.layout import own_columns
from sqlml.run.ml.sql_text import literal, typed_literal
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

HASH_BUCKETS = 10_000
MOST_EXACT = 2**52
"""Below it a double, which is what Spark's percentiles are, holds every whole number."""


@dataclass(frozen=True, slots=True)
class SplitRule:
    """A split as SQL.

    Attributes:
        holdout: condition of the rows held out; None: none are.
        training: condition of the rows fitted on; rows of neither are left out.
        facts: what a version remembers of it.
        group, place: of a split `within` a column: SQL of its value, and of a row's place in the order of its rows.
    """

    training: str
    holdout: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    place: str = ""

    @property
    def side(self) -> str:
        """SQL expression of `training`, `holdout` or null."""
        first = f"WHEN {self.holdout} THEN 'holdout' " if self.holdout else ""
        return f"CASE {first}WHEN {self.training} THEN 'training' END"


def split_rows(rows: DataFrame, ml_model: MlModel) -> SplitRule:
    """Return the rule that splits `rows`; reads them only to learn the cut of a split by time.

    - hash: held out where `pmod(xxhash64(columns, seed), 10000) < holdout * 10000`; nulls are hashed like any value
      (`xxhash64` passes over them), so that rows with the same columns stay together. Without columns, all columns of
      `rows` that can be hashed are.
    - time: held out from the cut on. The cut is `holdout_from`, or the first instant after the exact
      (1 - holdout) quantile, so that at most that share is held out and equal instants stay together. Rows less than
      `gap_s` before the cut, and rows without a time, are on neither side.
    - hash or time `within` a column: the rows of each of its values are held out from above the exact (1 - holdout)
      quantile of their hashes or times: of fewer than 1 / holdout rows none. The conditions are windows, which can
      stand in a SELECT and not in a WHERE.
    - column: held out where the column has one of `holdout_values`, fitted on where it has one of `train_values` or,
      if none are given, any other value or null.
    """
    split = resolve_split(ml_model)
    facts: dict[str, Any] = {"by": split.by, "columns": list(split.columns)}
    if split.by == "none":
        return SplitRule("true", None, facts)
    if split.within is not None:
        return _within(rows, split, {**facts, "within": split.within})
    if split.by == "hash":
        return _by_hash(rows, split, facts)
    if split.by == "time":
        return _by_time(rows, split, facts)
    types = {column.name.lower(): column.type for column in columns_of(rows.schema)}
    training, holdout = by_column_sql(split.columns[0], types[split.columns[0].lower()], split)
    return SplitRule(training, holdout, {**facts, "holdout_values": list(split.holdout_values)})


def odd_share(facts: Mapping[str, Any], rows: Mapping[str, int]) -> str | None:
    """Return what is odd about the share that a split by hash holds out: it is off by more than 3 standard deviations.

    Args:
        facts: of a `SplitRule`.
        rows: rows on each side.
    """
    if facts["by"] != "hash" or "within" in facts:
        return None
    held, total, share = rows["holdout"], rows["training"] + rows["holdout"], facts["holdout"]
    if abs(held - share * total) <= 3 * math.sqrt(total * share * (1 - share)):
        return None
    columns = ", ".join(facts["columns"])
    return f"{held} of {total} rows are held out, where holdout is {share:g}: rows of one ({columns}) stay together"


def _by_hash(rows: DataFrame, split: Split, facts: dict[str, Any]) -> SplitRule:
    names = hashed_columns(rows, split.columns)
    facts |= {"columns": list(names), "seed": split.seed, "holdout": split.holdout}
    return SplitRule(*by_hash_sql([quote(name) for name in names], split), facts)


def by_hash_sql(values: Sequence[str], split: Split) -> tuple[str, str]:
    """Return the conditions of the rows to fit on and of those held out, by the hash of the SQL of some values."""
    bucket, border = hash_sql(values, split.seed, HASH_BUCKETS), round(split.holdout * HASH_BUCKETS)
    return f"{bucket} >= {border}", f"{bucket} < {border}"


def by_column_sql(name: str, data_type: str, split: Split) -> tuple[str, str]:
    """Return the same conditions, by the values of a column of a Spark type."""
    held = _is_one_of(name, split.holdout_values, data_type)
    return _is_one_of(name, split.train_values, data_type) if split.train_values else f"NOT ({held})", held


def hashed_columns(rows: DataFrame, names: Sequence[str]) -> Sequence[str]:
    """Return `names`; if there are none, all columns of `rows` that can be hashed."""
    return names or [column.name for column in own_columns(rows) if is_hashable(column.type)]


def hash_sql(values: Sequence[str], seed: int, buckets: int) -> str:
    """Return the SQL of a row's bucket, from 0, by the hash of the SQL of some values."""
    return f"pmod(xxhash64({', '.join(values)}, {seed}), {buckets})"


def micros_sql(name: str) -> str:
    """Return the SQL of the microseconds since 1970 of a column of time."""
    return f"unix_micros(CAST({quote(name)} AS TIMESTAMP))"


def _within(rows: DataFrame, split: Split, facts: dict[str, Any]) -> SplitRule:
    facts |= {"holdout": split.holdout}
    names = split.columns
    if split.by == "hash":
        names = tuple(hashed_columns(rows, split.columns))
        facts |= {"columns": list(names), "seed": split.seed}
    place, group = within_sql([quote(name) for name in names], names[0], split), quote(split.within or "")
    border = f"percentile_disc({1 - split.holdout}D) WITHIN GROUP (ORDER BY {place}) OVER (PARTITION BY {group})"
    return SplitRule(f"{place} <= {border}", f"{place} > {border}", facts, group, place)


def within_sql(values: Sequence[str], name: str, split: Split) -> str:
    """Return the SQL of a row's place in the order in which the rows of a value are split.

    Args:
        values: SQL of what is hashed.
        name: the column of time of a split by time.
    """
    return hash_sql(values, split.seed, MOST_EXACT) if split.by == "hash" else micros_sql(name)


def _by_time(rows: DataFrame, split: Split, facts: dict[str, Any]) -> SplitRule:
    name = split.columns[0]
    micros = micros_sql(name)
    cut = _given_cut(rows, split) if split.holdout_from else learn_cuts(rows, micros, [1 - split.holdout])[0]
    if cut is None:
        return SplitRule(f"{micros} IS NOT NULL", "false", facts)
    border = cut - split.gap_s * 1_000_000
    facts |= {"holdout_from": instant(cut), "gap_s": split.gap_s}
    return SplitRule(f"{micros} < {border}", f"{micros} >= {cut}", facts)


def _given_cut(rows: DataFrame, split: Split) -> int:
    text = literal(str(split.holdout_from))
    return int(rows.sparkSession.sql(f"SELECT unix_micros(CAST({text} AS TIMESTAMP))").collect()[0][0])


def learn_cuts(rows: DataFrame, micros: str, shares: Sequence[float]) -> list[int | None]:
    """Return for each share the first instant after its exact quantile, in microseconds; None where there is none."""
    times = rows.selectExpr(f"{micros} AS t")
    quantiles = times.selectExpr(*[f"percentile_disc({share}D) WITHIN GROUP (ORDER BY t)" for share in shares])
    found = [None if quantile is None else int(quantile) for quantile in quantiles.collect()[0]]
    cuts = ["CAST(NULL AS BIGINT)" if at is None else f"min(t) FILTER (WHERE t > {at})" for at in found]
    return [None if cut is None else int(cut) for cut in times.selectExpr(*cuts).collect()[0]]


def instant(micros: int) -> str:
    """Return microseconds since 1970 as a timestamp, UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")


def _is_one_of(name: str, values: tuple[Scalar, ...], data_type: str) -> str:
    conditions = [f"{quote(name)} <=> {typed_literal(value, data_type)}" for value in values]
    return f"({' OR '.join(conditions)})"
