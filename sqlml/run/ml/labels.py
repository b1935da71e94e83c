"""The label as Spark's estimators take it: a classifier's values in, their class indexes in and out of SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlml.errors import DataError
from sqlml.ir.project import MlModel, Scalar
from sqlml.run.ml.sql_text import typed_literal
from sqlml.run.tables import quote


def order_classes(values: Iterable[Scalar], ml_model: MlModel) -> tuple[Scalar, ...]:
    """Return the label's values in the order of Spark's class index: sorted, `positive` being class 1 of two.

    Raises:
        DataError: a string label of two classes without `positive`; a `positive` that no row has, or of one of more
            than two classes; a threshold with more than two.
    """
    classes = sorted(values, key=_rank)
    what = f"label '{ml_model.label}' of ml model '{ml_model.name}'"
    shown = ", ".join(repr(value) for value in classes[:10])
    if len(classes) != 2:
        for key, is_given in (("positive", ml_model.positive is not None), ("threshold", ml_model.has_threshold)):
            if is_given:
                raise DataError(
                    f"'{key}:' is for two classes, and {what} has {len(classes)}: {shown}",
                    ml_model.places.value_of(key),
                    f"remove '{key}:', or make a label of two classes in the SQL",
                )
        return tuple(classes)
    if ml_model.positive is None:
        if isinstance(classes[0], str):
            fix = f"say which one is class 1: `positive: {classes[1]}` or `positive: {classes[0]}`"
            raise DataError(
                f"{what} has two values and no 'positive:': {shown}", ml_model.places.value_of("label"), fix
            )
        return tuple(classes)
    positive = next((value for value in classes if _is_same(value, ml_model.positive)), None)
    if positive is None:
        place = ml_model.places.value_of("positive")
        raise DataError(f"{what} is never {ml_model.positive!r}, its 'positive:'", place, f"it has: {shown}")
    return tuple(sorted(classes, key=lambda value: value is positive))


def class_index(label: str, label_type: str, classes: Sequence[Scalar]) -> str:
    """Return the SQL expression of a label's class index, a double."""
    cases = [
        f"WHEN {quote(label)} = {typed_literal(value, label_type)} THEN {index}D" for index, value in enumerate(classes)
    ]
    return f"CASE {' '.join(cases)} END"


def class_metadata(classes: Sequence[Scalar]) -> dict[str, Any]:
    """Return Spark ML's column metadata that says how many classes there are, whichever occur."""
    return {"ml_attr": {"type": "nominal", "vals": [class_text(value) for value in classes]}}


def class_text(value: Scalar) -> str:
    """Return a label's value as the text that Spark SQL would cast it to."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rank(value: Scalar) -> tuple[int, Any]:
    return (1, value) if isinstance(value, str) else (0, value)


def _is_same(value: Scalar, positive: Scalar) -> bool:
    if isinstance(value, str):
        return isinstance(positive, str | int | float) and not isinstance(positive, bool) and value == str(positive)
    if isinstance(value, bool) or isinstance(positive, bool):
        return value is positive
    if isinstance(positive, str):
        return str(value) == positive
    return value == positive
