"""Adds explanations to scored rows: contributions in, the columns of `ir.outputs.explanation_columns` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.state import Column
from sqlml.ir.type_rules import is_atomic
from sqlml.run.ml.contributions.explainer import CONTRIBUTIONS, Explainer
from sqlml.run.ml.sql_text import literal

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

_RANKED = f"{INTERNAL_PREFIX}ranked"


def add_contributions(scored: DataFrame, explainer: Explainer, inputs: Mapping[str, tuple[str, Column]]) -> DataFrame:
    """Return `scored` with the contributions of all features, the greatest first, for `explanation_expressions`.

    Args:
        scored: with Spark's columns `features` and `prediction`.
        inputs: columns of the input by their names in lower case: where each waits in `scored`, and what it is.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    count = len(explainer.features)
    # A step of its own, so that Spark computes it once and not once for each feature.
    rows: DataFrame = explainer.stage.transform(scored)
    rows = rows.withColumn(CONTRIBUTIONS, vector_to_array(sf.col(CONTRIBUTIONS)))
    first = f"CAST(prediction AS INT) * {count} + " if len(explainer.base_values) > 1 else ""
    numbers = [f"get({CONTRIBUTIONS}, {first}{at}) * {explainer.scale!r}D" for at in range(count)]
    features = list(explainer.features)
    if explainer.offset is not None:
        features.append(explainer.offset)
        numbers.append(f"CAST({inputs[explainer.offset.lower()][0]} AS DOUBLE)")
    entries = [
        # Of equal ones the first feature comes first.
        f"struct(-abs({number}) AS rank, {at} AS at, {literal(feature)} AS feature, "
        f"{_text_of(feature, inputs)} AS value, {number} AS contribution)"
        for at, (feature, number) in enumerate(zip(features, numbers, strict=True))
    ]
    return rows.withColumn(_RANKED, sf.expr(f"array_sort(array({', '.join(entries)}))"))


def explanation_expressions(explainer: Explainer, top: int) -> list[SparkColumn]:
    """Return an expression over what `add_contributions` returns for each of the columns, in order."""
    from pyspark.sql import functions as sf

    shown = f"transform(slice({_RANKED}, 1, {top}), x -> struct(x.feature, x.value, x.contribution))"
    rest = (
        f"aggregate(slice({_RANKED}, {top + 1}, {len(explainer.features) + 1}), 0D, (sum, x) -> sum + x.contribution)"
    )
    values = ", ".join([f"{value!r}D" for value in explainer.base_values])
    base = values if len(explainer.base_values) == 1 else f"get(array({values}), CAST(prediction AS INT))"
    return [sf.expr(shown), sf.expr(base), sf.expr(rest)]


def _text_of(feature: str, inputs: Mapping[str, tuple[str, Column]]) -> str:
    """Return the SQL of a feature's value; null of a list, and of what was mixed of several features."""
    found = inputs.get(feature.lower())
    return f"CAST({found[0] if found and is_atomic(found[1].type) else 'NULL'} AS STRING)"
