"""Which types the columns of an ML model may have: its typed relation in, errors out, before a row is read.

An empty type is one that is not known, of which nothing is said. Features are the affair of `ir.transforms`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.estimators import Estimator, Problem
from sqlml.ir.features import place_of_folds, place_of_for_each
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel, Scalar
from sqlml.ir.roles import ROLES, Domain
from sqlml.ir.splits import resolve_backtest, resolve_folds, resolve_split
from sqlml.ir.state import Column

WHOLE_NUMBERS = ("tinyint", "smallint", "int", "bigint")
NUMBERS = (*WHOLE_NUMBERS, "float", "double", "decimal")
TEXTS = ("string", "char", "varchar")
TIMES = ("timestamp", "timestamp_ntz", "date")
# What Spark's cast from a string takes for a boolean.
_BOOLEAN_TEXTS = frozenset({"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"})


def find_type_errors(ml_model: MlModel, estimator: Estimator, columns: Sequence[Column]) -> list[SqlmlError]:
    """Return what is wrong with the types of the label, of other columns with a role, of keys and of the split.

    Args:
        columns: of the training relation; a column that it lacks is not looked at.
    """
    types = {column.name.lower(): column.type for column in columns if column.type}
    errors: list[SqlmlError] = []
    for key, name in ml_model.role_columns.items():
        found = types.get(name.lower())
        # A rating is judged as the label that it is.
        if found is not None and key != "rating":
            errors += (
                _label_errors(ml_model, estimator, found) if key == "label" else _role_errors(ml_model, key, found)
            )
    errors += [*_split_errors(ml_model, types), *_fold_errors(ml_model, types), *_backtest_errors(ml_model, types)]
    errors += _for_each_errors(ml_model, types)
    return [*errors, *_key_errors(ml_model, types)]


def is_hashable(data_type: str) -> bool:
    """Tell whether `xxhash64` takes a Spark type: one without a map or a type of a library's own."""
    return not any(part in data_type for part in ("map<", "vector", "matrix", "variant"))


def is_atomic(data_type: str) -> bool:
    """Tell whether a Spark type holds one value, which can be hashed and sorted."""
    return not data_type.startswith(("array<", "map<", "struct<", "vector", "matrix", "variant"))


def _base(data_type: str) -> str:
    """Return a type's name without parameters and collation."""
    return data_type.partition("(")[0].partition(" ")[0]


def _label_errors(ml_model: MlModel, estimator: Estimator, data_type: str) -> Iterator[SqlmlError]:
    is_classifier = estimator.problem is Problem.CLASSIFICATION
    allowed = (*NUMBERS, "boolean", *TEXTS) if is_classifier else NUMBERS
    if _base(data_type) not in allowed:
        role = "label" if ml_model.rating is None else "rating"
        yield CompileError(
            f"{role} '{ml_model.label}' of ml model '{ml_model.name}' is of type {data_type}, "
            f"which '{estimator.name}' cannot learn",
            ml_model.places.value_of(role),
            f"make one of these of it in the SQL: {', '.join(allowed)}",
        )
    elif is_classifier:
        yield from _positive_errors(ml_model, estimator, data_type)


def _positive_errors(ml_model: MlModel, estimator: Estimator, data_type: str) -> Iterator[SqlmlError]:
    positive, base = ml_model.positive, _base(data_type)
    what = f"label '{ml_model.label}' of ml model '{ml_model.name}' is of type {data_type}"
    if positive is None:
        if base in TEXTS and estimator.max_classes == 2:
            yield CompileError(
                f"{what} and has no 'positive:'",
                ml_model.places.value_of("label"),
                "say which value is class 1: positive: VALUE",
            )
        return
    is_boolean = isinstance(positive, bool)
    if base == "boolean" and not is_boolean:
        fix = "write `positive: true` or `positive: false`"
    elif base in TEXTS and is_boolean:
        fix = "put it in quotes: YAML reads yes, no, on and off as booleans"
    elif base in NUMBERS and (is_boolean or not _is_number(positive)):
        fix = "write a number"
    else:
        return
    yield CompileError(f"{what} and is never {positive!r}, its 'positive:'", ml_model.places.value_of("positive"), fix)


def _role_errors(ml_model: MlModel, key: str, data_type: str) -> Iterator[SqlmlError]:
    allowed, domain = (*NUMBERS, "boolean"), ROLES[key].domain
    what = f"{ROLES[key].name} '{getattr(ml_model, key)}' of ml model '{ml_model.name}' is of type {data_type}"
    place = ml_model.places.value_of(key)
    if domain is Domain.ID:
        if not is_atomic(data_type):
            yield CompileError(f"{what}, which names nobody", place, "take a number, a string or a time for an id")
    elif domain is Domain.LIST:
        if not (data_type.startswith("array<") and is_atomic(data_type[6:-1])):
            fix = "collect the items of a row in the SQL: collect_set(item)"
            yield CompileError(f"{what}, which is no array of single values", place, fix)
    elif _base(data_type) not in allowed:
        yield CompileError(
            f"{what}, which is no number", ml_model.places.value_of(key), "make a number of it in the SQL"
        )


def _split_errors(ml_model: MlModel, types: Mapping[str, str]) -> Iterator[SqlmlError]:
    split = resolve_split(ml_model)
    place = _split_place(ml_model)
    for name in split.columns:
        found = types.get(name.lower(), "")
        what = f"ml model '{ml_model.name}' is split by {split.by} '{name}', which is of type {found}"
        if found and split.by == "time" and found not in TIMES:
            yield CompileError(what, place, "make a timestamp of it in the SQL, or split by hash or column")
        elif split.by == "hash" and ml_model.split.columns and not is_hashable(found):
            yield CompileError(what, place, "split by columns that can be hashed: no map, vector or variant in them")
        elif found and split.by == "column":
            values = [*split.holdout_values, *split.train_values]
            wrong = [value for value in values if not may_be(value, found)]
            if wrong:
                shown = ", ".join(map(repr, wrong))
                yield CompileError(
                    f"{what} and is never {shown}", ml_model.places.value_of("split"), "give values of that type"
                )


def _fold_errors(ml_model: MlModel, types: Mapping[str, str]) -> Iterator[SqlmlError]:
    given = ml_model.folds
    if given is None:
        return
    folds, place = resolve_folds(ml_model), place_of_folds(ml_model, "column")
    for name in folds.columns if given.columns or folds.by == "time" else ():
        found = types.get(name.lower(), "")
        what = f"the folds of ml model '{ml_model.name}' are by {folds.by} '{name}', which is of type {found}"
        if found and folds.by == "time" and found not in TIMES:
            yield CompileError(what, place, "make a timestamp of it in the SQL, or take folds by hash or group")
        elif folds.by == "hash" and not is_hashable(found):
            yield CompileError(what, place, "name columns that can be hashed: no map, vector or variant in them")
        elif folds.by == "group" and found and not is_atomic(found):
            yield CompileError(what, place, "a group is a number, a string or a time")


def _backtest_errors(ml_model: MlModel, types: Mapping[str, str]) -> Iterator[SqlmlError]:
    if ml_model.backtest is None:
        return
    name, _ = resolve_backtest(ml_model, ml_model.backtest)
    found = types.get(name.lower(), "")
    if found and found not in TIMES and resolve_split(ml_model).by != "time":
        what = f"the backtest of ml model '{ml_model.name}' follows '{name}', which is of type {found}"
        yield CompileError(what, ml_model.places.value_of("event_time"), "make a timestamp of it in the SQL")


def _for_each_errors(ml_model: MlModel, types: Mapping[str, str]) -> Iterator[SqlmlError]:
    if ml_model.for_each is None:
        return
    found = types.get(ml_model.for_each.column.lower(), "")
    if found and (_base(found) not in (*WHOLE_NUMBERS, *TEXTS, "boolean", "date") or "collate" in found.lower()):
        what = f"'for_each' of ml model '{ml_model.name}' is by '{ml_model.for_each.column}', which is of type {found}"
        fix = "make a string, a whole number, a boolean or a date of it in the SQL"
        yield CompileError(what, place_of_for_each(ml_model), fix)


def _split_place(ml_model: MlModel) -> SourceLocation:
    if not ml_model.split.columns:
        return ml_model.places.value_of("event_time" if ml_model.event_time else "keys")
    return ml_model.places.value_of("split.column" if "split.column" in ml_model.places.keys else "split")


def _key_errors(ml_model: MlModel, types: Mapping[str, str]) -> Iterator[SqlmlError]:
    for at, name in enumerate(ml_model.keys):
        found = types.get(name.lower(), "")
        if not is_hashable(found):
            what = f"key '{name}' of ml model '{ml_model.name}' is of type {found}, which tells no rows apart"
            yield CompileError(
                what, ml_model.places.value_of(f"keys.{at}"), "take a number, a string or a time for a key"
            )


def may_be(value: Scalar, data_type: str) -> bool:
    """Tell whether a column of a Spark type may hold a value that a spec gives, which is cast to that type."""
    base = _base(data_type)
    if value is None or base in TEXTS:
        return True
    if base in NUMBERS:
        return not isinstance(value, bool) and _is_number(value)
    if base == "boolean":
        return str(value).lower() in _BOOLEAN_TEXTS
    return base in TIMES and not isinstance(value, bool | float)


def _is_number(value: Scalar) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
