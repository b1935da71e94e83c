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
    own, others = _deal_out(parts, rows, signature.for_each)
    kept = [sf.col(quote(name)) for name in rows.columns]
    scored = []
    for part, dealt, explainer in zip(parts, own, of_part, strict=True):
        scored.append(score(part.pipeline, signature, dealt, output_prefix, explainer).drop(_VALUE))
    added = scored[0].schema.fields[len(kept) :]
    nothing = [_of_others(signature).cast(field.dataType).alias(field.name) for field in added]
    return union_all([*scored, others.select(*kept, *nothing)])


def _of_others(signature: Signature) -> SparkColumn:
    """Return what is predicted of a row whose value has no pipeline."""
    from pyspark.sql import functions as sf

    if signature.others == "keep":
        return sf.lit(None)
    said = f"'{signature.ml_model}' has no fitted model for {signature.for_each} = "
    return sf.raise_error(sf.concat(sf.lit(said), sf.coalesce(sf.col(_VALUE), sf.lit("null"))))


def _deal_out(parts: Sequence[FittedPart], rows: DataFrame, column: str) -> tuple[list[DataFrame], DataFrame]:
    """Return the rows of each part, and those of no part, with the column `_VALUE`."""
    from pyspark.sql import functions as sf

    dealt = rows.withColumn(_VALUE, sf.expr(text_sql(column))).repartition(sf.col(_VALUE))
    # What depends on the partition stays above the exchange, and so do filters on it: below, each would be a scan.
    dealt = dealt.withColumn(_VALUE, sf.expr(f"CASE WHEN spark_partition_id() >= 0 THEN {_VALUE} END"))
    values = [literal(part.value or "") for part in parts]
    own = [dealt.where(f"{_VALUE} = {value}") for value in values]
    return own, dealt.where(f"NOT coalesce({_VALUE} IN ({', '.join(values)}), false)")


def transform_parts(parts: Sequence[FittedPart], signature: Signature, rows: DataFrame) -> DataFrame:
    """Return `rows`, of which `is_scored_sql` is true, with the columns that Spark's fitted stages add.

    Args:
        rows: have what the stages read, under the names of the fit.
    """
    if signature.for_each is None:
        return parts[0].pipeline.transform(rows)
    dealt, _ = _deal_out(parts, rows, signature.for_each)
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
