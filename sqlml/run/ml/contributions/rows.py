"""Adds explanations to scored rows: contributions in, the columns of `ir.outputs.explanation_columns` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.state import Column
from sqlml.ir.type_rules import is_atomic
from sqlml.run.ml.contributions.explainer import CONTRIBUTIONS, Explainer
from sqlml.run.ml.sql_text import literal

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

_RANKED = f"{INTERNAL_PREFIX}ranked"

Inputs: TypeAlias = Mapping[str, tuple[str, Column]]
"""Columns of the input by their names in lower case: where each waits in the scored rows, and what it is."""


def add_contributions(scored: DataFrame, explainer: Explainer, inputs: Inputs) -> DataFrame:
    """Return `scored` with the contributions of all features, the greatest first, for `explanation_expressions`.

    Args:
        scored: with Spark's columns `features` and `prediction`.
    """
    from pyspark.sql import functions as sf

    # A step of its own, so that Spark computes it once and not once for each feature.
    rows = explainer.contribute(scored)
    # Of equal ones the first feature comes first.
    entries = [
        f"struct(-abs({number}) AS rank, {at} AS at, {number} AS contribution)"
        for at, number in enumerate(_numbers(explainer, inputs))
    ]
    return rows.withColumn(_RANKED, sf.expr(f"sort_array(array({', '.join(entries)}))"))


def explanation_expressions(explainer: Explainer, top: int, inputs: Inputs) -> list[SparkColumn]:
    """Return an expression over what `add_contributions` returns for each of the columns, in order."""
    from pyspark.sql import functions as sf

    features = (*explainer.features, *([] if explainer.offset is None else [explainer.offset]))
    names = ", ".join([literal(feature) for feature in features])
    # Only what is shown becomes text.
    texts = " ".join([f"WHEN {at} THEN {_text_of(feature, inputs)}" for at, feature in enumerate(features)])
    shown = (
        f"transform(slice({_RANKED}, 1, {top}), x -> "
        f"struct(get(array({names}), x.at) AS feature, CASE x.at {texts} END AS value, x.contribution))"
    )
    rest = f"aggregate(slice({_RANKED}, {top + 1}, {len(features)}), 0D, (sum, x) -> sum + x.contribution)"
    values = ", ".join([f"{value!r}D" for value in explainer.base_values])
    base = values if len(explainer.base_values) == 1 else f"get(array({values}), CAST(prediction AS INT))"
    return [sf.expr(shown), sf.expr(base), sf.expr(rest)]


def _numbers(explainer: Explainer, inputs: Inputs) -> list[str]:
    """Return the SQL of what each feature, and then the offset, contributes."""
    numbers = [f"get({CONTRIBUTIONS}, {at})" for at in range(len(explainer.features))]
    offset = [] if explainer.offset is None else [f"CAST({inputs[explainer.offset.lower()][0]} AS DOUBLE)"]
    return [*numbers, *offset]


def _text_of(feature: str, inputs: Inputs) -> str:
    """Return the SQL of a feature's value; null of a list, and of what was mixed of several features."""
    found = inputs.get(feature.lower())
    return f"CAST({found[0] if found and is_atomic(found[1].type) else 'NULL'} AS STRING)"
