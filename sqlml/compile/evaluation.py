"""Checks how an ML model is measured against the columns that it has: slices and weights of classes in, errors out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.compile.condition_reader import ConditionReader
from sqlml.compile.readable import Readable
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.measuring import Slice
from sqlml.ir.project import MlModel
from sqlml.ir.type_rules import is_hashable, may_be


def check_evaluation(
    ml_model: MlModel, training: Readable, conditions: ConditionReader, errors: list[SqlmlError]
) -> frozenset[str] | None:
    """Return the columns (lower case) that the slices of an ML model read, None if they are not known.

    Args:
        training: its training relation.
        conditions: reads conditions.
        errors: gets what is wrong.
    """
    read: set[str] = set()
    is_known = True
    for part in ml_model.slices:
        if part.where is None:
            # Of the column of `for_each:` more is said elsewhere.
            if ml_model.for_each is None or part.name.lower() != ml_model.for_each.column.lower():
                errors.extend(_check_column(part, ml_model, training))
            read.add(part.name.lower())
            continue
        what = f"slice '{part.name}' of ml model '{ml_model.name}'"
        condition = conditions.read(part.where, what, part.location, training, errors)
        is_known = is_known and condition is not None and condition.columns is not None
        read |= (condition.columns if condition is not None else None) or set()
    errors.extend(_check_class_weights(ml_model, training))
    return frozenset(read) if is_known else None


def _check_column(part: Slice, ml_model: MlModel, training: Readable) -> Iterator[SqlmlError]:
    what = f"ml model '{ml_model.name}' is measured by slices of '{part.name}', which"
    if not training.may_have(part.name):
        fix = suggest(part.name, training.columns or ())
        yield CompileError(f"{what} '{training.title}' does not have", part.location, fix)
        return
    found = training.column(part.name).type if training.columns is not None else ""
    if found and (not is_hashable(found) or found.startswith(("array", "struct"))):
        yield CompileError(f"{what} is of type {found}", part.location, "a slice is by a column that holds one value")


def _check_class_weights(ml_model: MlModel, training: Readable) -> Iterator[SqlmlError]:
    weights = ml_model.class_weights
    if weights is None or isinstance(weights, str) or ml_model.label is None or not training.may_have(ml_model.label):
        return
    found = training.column(ml_model.label).type if training.columns is not None else ""
    for value in weights if found else ():
        if not may_be(value, found):
            what = f"class_weights: of ml model '{ml_model.name}' names {value!r}, and its label is of type {found}"
            yield CompileError(what, ml_model.places.of("class_weights"), "name values of the label")
