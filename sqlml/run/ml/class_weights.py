"""Weights of classes: what an ML model says and how often each class occurs in, the SQL of a row's weight out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlml.errors import DataError
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.project import MlModel, Scalar
from sqlml.run.ml.estimator import LABEL, role_column
from sqlml.run.ml.labels import class_text

FIT_WEIGHT = f"{INTERNAL_PREFIX}fit_weight"
"""The column that a fit takes a row's weight from, where classes have weights; metrics take the row's own."""


def weigh_classes(ml_model: MlModel, counts: Mapping[Scalar, int], classes: Sequence[Scalar]) -> tuple[float, ...]:
    """Return the weight of each class, none if classes count as often as they occur.

    `balanced` is scikit-learn's: rows / (classes * rows of the class), so that all classes weigh the same.

    Args:
        counts: training rows of each class.
        classes: in the order of their index.

    Raises:
        DataError: a class has no weight, or a value that has one is no class.
    """
    given = ml_model.class_weights
    if given is None:
        return ()
    if given == "balanced":
        total = sum(counts.values())
        return tuple(total / (len(classes) * counts[value]) for value in classes)
    found = {value: [weight for key, weight in given.items() if _is_meant(value, key)] for value in classes}
    wrong = [f"'{class_text(value)}' has no weight" for value, weights in found.items() if not weights]
    wrong += [f"'{key}' is none of them" for key in given if not any(_is_meant(value, key) for value in classes)]
    if wrong:
        shown = ", ".join(class_text(value) for value in classes[:10])
        what = f"'class_weights:' of ml model '{ml_model.name}' does not fit the classes of its label: {wrong[0]}"
        raise DataError(what, ml_model.places.of("class_weights"), f"give one for each of: {shown}")
    return tuple(weights[0] for weights in found.values())


def _is_meant(value: Scalar, key: Scalar) -> bool:
    """Tell whether a key of a mapping, which YAML gives as text, stands for a label's value."""
    if class_text(value) == class_text(key):
        return True
    try:
        # 1 stands for 1.0.
        return not isinstance(value, str | bool | None) and float(value) == float(str(key))
    except ValueError:
        return False


def fit_weight_sql(weights: Sequence[float], ml_model: MlModel) -> str:
    """Return the SQL of a row's weight in a fit: its own times its class's."""
    cases = " ".join(f"WHEN {index} THEN {weight!r}D" for index, weight in enumerate(weights))
    own = f"{role_column('weight')} * " if ml_model.weight is not None else ""
    return f"{own}CASE CAST({LABEL} AS INT) {cases} END"
