"""Checks the types of an ML model's columns: its typed training relation in, errors and transforms out."""

from __future__ import annotations

from sqlml.compile.readable import Readable
from sqlml.errors import SqlmlError
from sqlml.ir.estimators import estimator_of
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column
from sqlml.ir.transforms import FeatureTransform, choose_transforms
from sqlml.ir.type_rules import find_type_errors


def typed_columns(relation: Readable) -> tuple[Column, ...]:
    """Return the columns of a relation; the type of one that is unknown is empty."""
    return tuple([Column(name, "" if found is None else str(found)) for name, found in relation.types.items()])


def check_types(
    ml_model: MlModel, training: Readable, is_sound: bool, errors: list[SqlmlError]
) -> tuple[FeatureTransform, ...]:
    """Return the transform of each feature whose type is known; errors are appended to `errors`.

    Args:
        is_sound: whether features and transforms are known to name what there is; if not, they are not chosen.
    """
    if training.columns is None:
        return ()
    columns, estimator = typed_columns(training), estimator_of(ml_model)
    errors.extend(find_type_errors(ml_model, estimator, columns))
    if not is_sound:
        return ()
    try:
        return choose_transforms(columns, ml_model, estimator)
    except SqlmlError as error:
        errors.append(error)
        return ()
