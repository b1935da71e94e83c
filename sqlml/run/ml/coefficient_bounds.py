"""Makes Spark's matrices of bounds on coefficients: numbers by slot or feature in, a row for each class out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, suggest
from sqlml.ir.project import MlModel
from sqlml.ir.spark_params import spark_params

if TYPE_CHECKING:
    from pyspark.ml.linalg import DenseMatrix

FREE = sys.float_info.max
"""What stands for no bound: Spark writes an infinite one into a fitted model so that it cannot be loaded again."""


def bounds_of(
    params: Mapping[str, Any],
    stage: str,
    ml_model: MlModel,
    *,
    slots: Sequence[str],
    sources: Sequence[tuple[str, ...]],
    classes: int,
) -> dict[str, DenseMatrix | list[float]]:
    """Return the bounds among the params of a Spark ML class as Spark takes them; what is not named has none.

    Args:
        slots, sources: the names of the vector's slots, and the features that each comes from.
        classes: of the label.

    Raises:
        DataError: a name is neither a slot nor a feature; numbers that are not one for each class; a lower bound above
            the upper.
    """
    names = [name for name, param in spark_params(stage).items() if param.type == "matrix" and name in params]
    rows = classes if classes > 2 or params.get("family") == "multinomial" else 1
    intercepts: dict[str, DenseMatrix | list[float]] = {}
    for name in ("lowerBoundsOnIntercepts", "upperBoundsOnIntercepts"):
        if name not in params:
            continue
        intercepts[name] = [_finite(number) for number in params[name]]
        if len(params[name]) != rows:
            what = f"param '{name}' of ml model '{ml_model.name}' has {len(params[name])} numbers"
            fix = f"write one for each of the {rows} classes" if rows > 1 else "write one number"
            raise DataError(what, ml_model.places.value_of(f"params.{name}"), fix)
    if not names:
        return intercepts
    from pyspark.ml.linalg import DenseMatrix

    found: dict[str, DenseMatrix] = {}
    for name in names:
        free = -FREE if name.startswith("lower") else FREE
        values = [[free] * len(slots) for _ in range(rows)]
        # A slot's own bound wins over that of its feature.
        for key, given in sorted(params[name].items(), key=lambda item: item[0] in slots):
            title, place = f"param '{name}' of ml model '{ml_model.name}'", ml_model.places.value_of(f"params.{name}")
            own = [slot for slot, features in enumerate(sources) if key in features]
            own = [slots.index(key)] if key in slots else own
            if not own:
                known = dict.fromkeys([*slots, *[feature for features in sources for feature in features]])
                what = f"{title} names '{key}', which is no slot and no feature"
                raise DataError(what, place, suggest(key, tuple(known), "there are"))
            numbers = given if isinstance(given, list | tuple) else [given] * rows
            if len(numbers) != rows:
                fix = f"write one for each of the {rows} classes, or one for all" if rows > 1 else "write one number"
                raise DataError(f"{title} has {len(numbers)} numbers for '{key}'", place, fix)
            for row, number in zip(values, numbers, strict=True):
                for slot in own:
                    row[slot] = _finite(number)
        flat = [number for row in values for number in row]
        found[name] = DenseMatrix(rows, len(slots), flat, isTransposed=True)
    _check_order(found, ml_model, slots)
    return {**intercepts, **found}


def _finite(number: float) -> float:
    return max(-FREE, min(FREE, float(number)))


def _check_order(found: Mapping[str, DenseMatrix], ml_model: MlModel, slots: Sequence[str]) -> None:
    if len(found) < 2:
        return
    lower, upper = (found[f"{side}BoundsOnCoefficients"].toArray() for side in ("lower", "upper"))
    crossed = [slot for at, slot in enumerate(slots) if (lower[:, at] > upper[:, at]).any()]
    if crossed:
        what = f"the bounds on the coefficients of ml model '{ml_model.name}' leave no number for '{crossed[0]}'"
        place = ml_model.places.value_of("params.lowerBoundsOnCoefficients")
        raise DataError(what, place, "lower the lower bound, or raise the upper")
