"""Applies a version: its folder and rows in, each row scored by the fitted pipeline of its value out.

The rows are dealt out once, by their value, and each pipeline reads its own of what was dealt out (Spark reuses the
exchange): whatever the rows are made of is computed once, however many values there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.state import Signature
from sqlml.run.ml.artifact import FittedPart, read_parts, read_signature
from sqlml.run.ml.contributions.explainer import Explainer
from sqlml.run.ml.score import check_inputs, score
from sqlml.run.ml.sql_text import literal
from sqlml.run.ml.values import text_sql
from sqlml.run.tables import columns_of, quote, union_all

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

_VALUE = f"{INTERNAL_PREFIX}value"


def load_parts(spark: SparkSession, version_folder: Path) -> tuple[FittedPart, ...]:
    """Return the fitted pipelines of a version, after checking its files and the session's settings.

    Raises:
        DataError: a file was changed; the session has another time zone, ANSI mode … than the fit had.
    """
    signature = read_signature(version_folder)
    for name, value in signature.settings.items():
        current = str(spark.conf.get(name, PINNED_SETTINGS.get(name, "")))
        if current.lower() != value.lower():
            raise DataError(
                f"'{signature.ml_model}' was fitted with '{name}' {value}, and this session has {current}",
                fix=f"set '{name}' to {value}, or fit again",
            )
    return read_parts(version_folder)


def score_parts(
    parts: Sequence[FittedPart],
    signature: Signature,
    rows: DataFrame,
    output_prefix: str = "",
    explained: tuple[Sequence[Explainer], int] | None = None,
) -> DataFrame:
    """Return what `score` returns, each row scored by the pipeline of its value.

    A row whose value has no pipeline is predicted null, or, as `signature.others` says, fails whoever computes it.

    Args:
        signature: of the version.
        explained: what explains the rows of each part, by how many features.

    Raises:
        DataError: what `score` raises.
    """
    from pyspark.sql import functions as sf

    of_part: Sequence[tuple[Explainer, int] | None] = [None] * len(parts)
    if explained is not None:
        of_part = [(explainer, explained[1]) for explainer in explained[0]]
    if signature.for_each is None:
        return score(parts[0].pipeline, signature, rows, output_prefix, of_part[0])
    check_inputs(columns_of(rows.schema), signature)
    scored = []
    for part, own, explainer in zip(parts, _deal_out(parts, rows, signature.for_each), of_part, strict=True):
        found = score(part.pipeline, signature, own, output_prefix, explainer)
        added = found.columns[len(own.columns) :]
        values = [sf.col(quote(name)) for name in added]
        if part is parts[0]:
            # Rows of no pipeline come with those of the first.
            values = [_if_own(part, value, signature).alias(name) for value, name in zip(values, added, strict=True)]
        scored.append(found.select(*[sf.col(quote(name)) for name in rows.columns], *values))
    return union_all(scored)


def _if_own(part: FittedPart, value: SparkColumn, signature: Signature) -> SparkColumn:
    from pyspark.sql import functions as sf

    is_own = sf.col(_VALUE).eqNullSafe(sf.lit(part.value))
    if signature.others == "keep":
        return sf.when(is_own, value)
    said = f"'{signature.ml_model}' has no fitted model for {signature.for_each} = "
    return sf.when(is_own, value).otherwise(
        sf.raise_error(sf.concat(sf.lit(said), sf.coalesce(sf.col(_VALUE), sf.lit("null"))))
    )


def _deal_out(parts: Sequence[FittedPart], rows: DataFrame, column: str) -> list[DataFrame]:
    """Return the rows of each part with the column `_VALUE`; those of no part come with the first's."""
    from pyspark.sql import functions as sf

    dealt = rows.withColumn(_VALUE, sf.expr(text_sql(column))).repartition(sf.col(_VALUE))
    # What depends on the partition stays above the exchange, and so do filters on it: below, each would be a scan.
    dealt = dealt.withColumn(_VALUE, sf.expr(f"CASE WHEN spark_partition_id() >= 0 THEN {_VALUE} END"))
    rest = parts[1:]
    own = [dealt.where(f"{_VALUE} = {literal(part.value or '')}") for part in rest]
    names = ", ".join(literal(part.value or "") for part in rest)
    return [dealt.where(f"NOT coalesce({_VALUE} IN ({names}), false)") if rest else dealt, *own]


def transform_parts(parts: Sequence[FittedPart], signature: Signature, rows: DataFrame) -> DataFrame:
    """Return `rows`, of which `is_scored_sql` is true, with the columns that Spark's fitted stages add.

    Args:
        rows: have what the stages read, under the names of the fit.
    """
    if signature.for_each is None:
        return parts[0].pipeline.transform(rows)
    dealt = _deal_out(parts, rows, signature.for_each)
    scored = [part.pipeline.transform(own).drop(_VALUE) for part, own in zip(parts, dealt, strict=True)]
    return union_all(scored)


def is_scored_sql(parts: Sequence[FittedPart], signature: Signature, below: str = "") -> str:
    """Return the condition of the rows that a version has a pipeline for.

    Args:
        below: stands before the names of columns, as in `row.`.
    """
    if signature.for_each is None:
        return "true"
    names = ", ".join(literal(part.value or "") for part in parts)
    return f"coalesce({text_sql(signature.for_each, below)} IN ({names}), false)"
