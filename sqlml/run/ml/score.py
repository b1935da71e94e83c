"""Applies a fitted model: rows with its features in, the same rows with its predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlml.errors import DataError, suggest
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.outputs import explanation_columns
from sqlml.ir.signatures import INTEGERS, find_misfit
from sqlml.ir.state import Column, Signature
from sqlml.run.ml.contributions.explainer import Explainer
from sqlml.run.ml.contributions.rows import add_contributions, explanation_expressions
from sqlml.run.ml.outputs import output_expressions
from sqlml.run.ml.readable import transform_readable
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame


def check_inputs(columns: Sequence[Column], signature: Signature) -> tuple[Column, ...]:
    """Return the column of the input that each feature, then each other input, is read from, in their order.

    Raises:
        DataError: features are missing or of a type that the fit did not have (`ir.signatures.fits`); all are named.
    """
    read = (*signature.features, *signature.inputs)
    misfit = find_misfit(columns, read)
    if misfit:
        names = [column.name for column in columns]
        fix = "cast them in the SQL that makes the input"
        if misfit.missing:
            fix = suggest(misfit.missing[0].name, names, "the input has")
        raise DataError(f"the input of '{signature.ml_model}' {misfit}", fix=fix)
    by_name = {column.name.lower(): column for column in columns}
    return tuple(by_name[feature.name.lower()] for feature in read)


def read_inputs(rows: DataFrame, signature: Signature) -> list[SparkColumn]:
    """Return what the fitted stages read of `rows`, under the names and of the types of the fit.

    Raises:
        DataError: what `check_inputs` raises.
    """
    from pyspark.sql import functions as sf

    inputs = check_inputs(columns_of(rows.schema), signature)
    return [
        sf.col(quote(column.name)).cast(_cast_type(column.type, feature.type)).alias(feature.name)
        if _cast_type(column.type, feature.type)
        else sf.col(quote(column.name)).alias(feature.name)
        for column, feature in zip(inputs, (*signature.features, *signature.inputs), strict=True)
    ]


def score(
    fitted: PipelineModel,
    signature: Signature,
    rows: DataFrame,
    output_prefix: str = "",
    explained: tuple[Explainer, int] | None = None,
) -> DataFrame:
    """Return `rows`, every one of them and every column, with the columns of `signature.outputs` added.

    They are null where the fitted model cannot read the row at all.

    Args:
        explained: what explains the rows, by how many features; adds the columns of `explanation_columns`.

    Raises:
        DataError: what `check_inputs` raises; an output has the name of an input column.
    """
    from pyspark.sql import functions as sf

    columns, features = columns_of(rows.schema), read_inputs(rows, signature)
    outputs = (*signature.outputs, *explanation_columns(explained and explained[1]))
    names = [f"{output_prefix}{output.name}" for output in outputs]
    _check_names(names, columns, signature)
    # The input's columns wait under names of ours, so that none can meet a column that the stages add.
    waiting = [sf.col(quote(column.name)).alias(f"{INTERNAL_PREFIX}in_{index}") for index, column in enumerate(columns)]
    scored, is_read = transform_readable(fitted, rows.select(*waiting, *features))
    values = output_expressions(fitted, signature)
    values = values if is_read is None else [sf.when(is_read, value) for value in values]
    if explained is not None:
        inputs = {column.name.lower(): (f"{INTERNAL_PREFIX}in_{at}", column) for at, column in enumerate(columns)}
        scored = add_contributions(scored, explained[0], inputs)
        values += explanation_expressions(*explained, inputs)
    kept = [sf.col(f"{INTERNAL_PREFIX}in_{index}").alias(column.name) for index, column in enumerate(columns)]
    added = [value.alias(name) for value, name in zip(values, names, strict=True)]
    return scored.select(*kept, *added)


def _check_names(names: Sequence[str], columns: Sequence[Column], signature: Signature) -> None:
    taken = {column.name.lower() for column in columns}
    if both := [name for name in names if name.lower() in taken]:
        shown = ", ".join(f"'{name}'" for name in both)
        raise DataError(
            f"the input of '{signature.ml_model}' already has {shown}, which the prediction adds",
            fix="give the ML model an 'output_prefix:', or leave the column out of the input",
        )


def _cast_type(given: str, needed: str) -> str:
    """Return the type to cast to; empty where the stages give the same for both types."""
    # A wide integer is never squeezed into a narrow one: its value may not fit, and the stages do not mind.
    return "" if given == needed or (given in INTEGERS and needed in INTEGERS) or needed == "vector" else needed
