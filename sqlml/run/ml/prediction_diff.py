"""Compares the predictions of two versions on the same rows: rows and versions in, counts and distributions out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlml.ir.explanations import Row
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.prediction_differences import SHARES, PartDifference, PredictionDifference
from sqlml.ir.state import Column, Version
from sqlml.ir.version_differences import Weighed
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.ml.evaluation.slices import slices_sql
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.sql_text import literal
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sqlml.run.engine import SparkEngine

WAS, NOW = f"{INTERNAL_PREFIX}was_", f"{INTERNAL_PREFIX}now_"
MOST_VALUES = 20
FEWEST_ROWS = 20
"""Of fewer rows a slice that nobody declared says nothing."""

_NUMBERS = ("probability", "confidence", "score", "distance")


def compare_predictions(
    engine: SparkEngine, rows: DataFrame, was: Weighed, now: Weighed, on: str
) -> PredictionDifference:
    """Return how the predictions of `now` differ from those of `was` on each of `rows`.

    Raises:
        DataError: the rows lack a feature of one of them.
        StepError: Spark fails.
    """
    outputs = [entry.version.signature.outputs for entry in (was, now)]
    first = outputs[0][0].name, outputs[1][0].name
    is_number = all(found[0].type == "double" for found in outputs)
    measured = first[0] if is_number and first[0] == first[1] else _measured(*outputs)
    scored = score_both(engine, rows, was.version, now.version)
    before, after = quote(WAS + first[0]), quote(NOW + first[1])
    difference = f"CAST({quote(NOW + measured)} - {quote(WAS + measured)} AS DOUBLE)" if measured else "NULL"
    declared = [part.name for entry in (was, now) if entry.record for part in entry.record.spec.slices]
    with spark_failures(Doing(f"the predictions on '{on}' cannot be compared", None)), ExitStack() as stack:
        compared = persisted(
            stack,
            scored.selectExpr(
                f"CAST({before} AS STRING) AS was",
                f"CAST({after} AS STRING) AS now",
                f"{before} IS NULL OR {after} IS NULL AS is_missing",
                f"CAST({difference} AS DOUBLE) AS difference",
                f"{_slices(columns_of(rows.schema), was, now)} AS slices",
            ),
        )
        parts = {part.slice: part for part in _parts(compared, has_classes=not is_number, has_numbers=bool(measured))}
        whole = parts.pop("", PartDifference("", 0, None if is_number else 0))
        kept = [part for part in parts.values() if part.rows >= FEWEST_ROWS or _is_declared(part.slice, declared)]
        return PredictionDifference(
            on,
            measured,
            whole,
            tuple(sorted(kept, key=lambda part: (-part.size, part.slice))),
            _quantiles(compared) if measured else (),
            () if is_number else _moves(compared),
        )


def score_both(engine: SparkEngine, rows: DataFrame, was: Version, now: Version) -> DataFrame:
    """Return rows with what two versions predict of them, under names that begin with `WAS` and with `NOW`."""
    return engine.score(now, engine.score(was, rows, WAS), NOW)


def _measured(was: Sequence[Column], now: Sequence[Column]) -> str:
    """Return the number beside the class that both give; empty if there is none."""
    names = {column.name for column in was} & {column.name for column in now}
    return next((name for name in _NUMBERS if name in names), "")


def _is_declared(name: str, declared: Sequence[str]) -> bool:
    return any(name == entry or name.startswith(f"{entry}=") for entry in declared)


def _parts(compared: DataFrame, has_classes: bool, has_numbers: bool) -> Iterator[PartDifference]:
    from pyspark.sql import functions as sf

    found = (
        compared.select("*", sf.explode(sf.expr("array_distinct(concat(array(''), slices))")).alias("slice"))
        .groupBy("slice")
        .agg(
            sf.expr("count(1)").alias("n"),
            sf.expr("count_if(NOT (was <=> now))").alias("changed"),
            sf.expr("count_if(is_missing)").alias("missing"),
            sf.expr("avg(difference)").alias("mean"),
            sf.expr("avg(abs(difference))").alias("mean_absolute"),
        )
    )
    for row in found.collect():
        numbers = (row["mean"], row["mean_absolute"]) if has_numbers else (None, None)
        yield PartDifference(row["slice"], row["n"], row["changed"] if has_classes else None, row["missing"], *numbers)


def _quantiles(compared: DataFrame) -> tuple[float, ...]:
    shares = ", ".join(f"{share}D" for share in SHARES)
    found = compared.selectExpr(f"percentile_approx(difference, array({shares}))").collect()[0][0]
    return tuple(found or ())


def _moves(compared: DataFrame) -> tuple[tuple[str, str, int], ...]:
    moved = compared.where("NOT (was <=> now)").groupBy("was", "now").count().orderBy("count", ascending=False)
    rows = moved.limit(MOST_VALUES).collect()
    return tuple((str(row["was"]), str(row["now"]), row["count"]) for row in rows)


def _slices(columns: Sequence[Column], was: Weighed, now: Weighed) -> str:
    """Return the SQL of the names of a row's slices: those declared, and ranges and values of the features."""
    there = {column.name.lower(): column for column in columns}
    arrays = ["array()"]
    for entry in (was, now):
        spec = None if entry.record is None else entry.record.spec
        if spec is not None and all(part.where or part.name.lower() in there for part in spec.slices):
            arrays += [sql for sql in (slices_sql(spec),) if sql]
    names = [
        sql
        for row in now.tables.get("feature_statistics", ())
        if row["dataset"] == "training" and row["feature"].lower() in there
        for sql in _slices_of(row["feature"], row)
    ]
    arrays.append(f"array_compact(array({', '.join(names)}))")
    return f"concat({', '.join(arrays)})"


def _slices_of(feature: str, row: Row) -> Iterator[str]:
    column = quote(feature)
    if row["type"] == "boolean" or (row["top"] and len(row["top"]) <= MOST_VALUES):
        yield f"concat({literal(feature + '=')}, coalesce(CAST({column} AS STRING), '<null>'))"
    elif row["quantiles"]:
        cuts = sorted({row["p25"], row["p50"], row["p75"]})
        ranges = [(f"{column} <= {cut!r}D", f"{feature} <= {cut:g}") for cut in cuts]
        ranges.append((f"{column} > {cuts[-1]!r}D", f"{feature} > {cuts[-1]:g}"))
        named = [f"WHEN {condition} THEN {literal(text)}" for condition, text in ranges]
        yield f"CASE WHEN {column} IS NULL THEN {literal(feature + '=<null>')} {' '.join(named)} END"
