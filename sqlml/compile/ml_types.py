"""Checks the types of an ML model's columns: its typed training relation in, errors and transforms out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlml.compile.readable import Readable
from sqlml.compile.slots import check_slots
from sqlml.errors import SqlmlError
from sqlml.ir.estimators import estimator_of
from sqlml.ir.features import feature_names
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column
from sqlml.ir.transforms import FeatureTransform, TypeOf, choose_transforms
from sqlml.ir.type_rules import find_type_errors


def typed_columns(relation: Readable) -> tuple[Column, ...]:
    """Return the columns of a relation; the type of one that is unknown is empty."""
    return tuple([Column(name, "" if found is None else str(found)) for name, found in relation.types.items()])


def expression_types(columns: Sequence[Column]) -> TypeOf:
    """Return what gives the type of an `expr:` over one of `columns`, as far as it can be told without Spark."""
    types = {column.name: column.type for column in columns}

    def type_of(column: str, sql: str) -> str | None:
        from sqlml.compile.row_expressions import expression_type

        return expression_type(sql, column, types[column]) if types[column] else None

    return type_of


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
        transforms = choose_transforms(columns, ml_model, estimator, expression_types(columns))
        # A feature of an unknown type has unknown slots, and may be in any entry.
        if len(transforms) == len(feature_names([column.name for column in columns], ml_model)):
            errors.extend(check_slots(transforms, ml_model))
    except SqlmlError as error:
        errors.append(error)
        return ()
    return transforms
