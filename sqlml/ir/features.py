"""Which columns are features: the names a relation has and an ML model in, the features' names out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlml.errors import CompileError, raise_all, suggest
from sqlml.ir.estimators import estimator_of
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.ir.roles import ROLES

INTERNAL_PREFIX = "__sqlml_"

# What Spark's fitted stages add; a feature of that name would make them fail.
SPARK_COLUMNS = ("features", "rawPrediction", "probability", "prediction", "predictionQuantiles", "topicDistribution")


def feature_names(names: Sequence[str], ml_model: MlModel) -> tuple[str, ...]:
    """Return the features of `ml_model` in the relation's spelling.

    Args:
        names: the columns of the training relation, in order.
        ml_model: its features are those listed, in that order, else every column without a role, in the relation's
            order; a column that decides a time or column split, or folds by time or group, is a feature only if it is
            listed.

    Raises:
        CompileError, ErrorList: a name that the relation lacks (features, roles, split, transforms), a listed
            column with a role, a name that Spark or sqlml needs, no feature at all.
    """
    known = {name.lower(): name for name in names}
    roles = {name.lower(): role for name, role in ml_model.roles.items()}
    errors = [_unknown(name, use, place, known, ml_model) for name, use, place in _named(ml_model)
              if name.lower() not in known]  # fmt: skip
    listed = [name for name in ml_model.include if name != "*"]
    for index, name in enumerate(ml_model.include):
        if name.lower() in roles:
            errors.append(_has_role(name, roles[name.lower()], "features", _place_of_feature(ml_model, index)))
    if listed and "*" not in ml_model.include:
        chosen = [known[name.lower()] for name in listed if name.lower() in known]
    else:
        kept = {name.lower() for name in listed}
        ruled = roles.keys() | (_split_columns(ml_model) - kept)
        chosen = [name for name in names if name.lower() not in ruled]
    excluded = {name.lower() for name in ml_model.exclude}
    features = tuple(
        name for name in dict.fromkeys(chosen) if name.lower() not in excluded and name.lower() not in roles
    )
    if not estimator_of(ml_model).reads_features:
        raise_all(errors)
        return ()
    errors += [error for name in features if (error := _reserved(name, ml_model)) is not None]
    if not features and not errors:
        errors.append(CompileError(f"ml model '{ml_model.name}' has no feature", ml_model.places.value_of("features")))
    raise_all(errors)
    return features


def place_of_feature(name: str, ml_model: MlModel) -> SourceLocation:
    """Return where a feature is named: in the list of features, else where the training data is."""
    for index, listed in enumerate(ml_model.include):
        if listed.lower() == name.lower():
            return _place_of_feature(ml_model, index)
    return ml_model.places.value_of("features" if ml_model.include else "training_data")


def place_of_folds(ml_model: MlModel, key: str = "") -> SourceLocation:
    """Return where folds are asked for, or where a key of them stands."""
    places = ml_model.places
    asked = next((path for path in ("folds", "tune.folds", "tune") if path in places.keys), "threshold")
    return places.value_of(f"{asked}.{key}" if key else asked)


def place_of_for_each(ml_model: MlModel) -> SourceLocation:
    """Return where the column of `for_each:` is named."""
    places = ml_model.places
    return places.value_of("for_each.column" if "for_each.column" in places.keys else "for_each")


def role_error(name: str, ml_model: MlModel, location: SourceLocation) -> CompileError | None:
    """Return the error of a transform on a column with a role; None if `name` has no role."""
    roles = {column.lower(): role for column, role in ml_model.roles.items()}
    role = roles.get(name.lower())
    return _has_role(name, role, "transforms", location) if role else None


def _named(ml_model: MlModel) -> list[tuple[str, str, SourceLocation]]:
    """Return every column that the ML model names, with what it is named as and where."""
    places = ml_model.places
    named = [(name, ROLES[key].name, places.value_of(key)) for key, name in ml_model.own_role_columns.items()]
    if ml_model.for_each is not None:
        named.append((ml_model.for_each.column, "for_each column", place_of_for_each(ml_model)))
    if ml_model.event_time is not None:
        named.append((ml_model.event_time, "event time", places.value_of("event_time")))
    named += [(name, "key", places.of(f"keys.{index}")) for index, name in enumerate(ml_model.keys)]
    if ml_model.split.within is not None:
        named.append((ml_model.split.within, "split group", places.value_of("split.within")))
    named += [(name, "split column", places.value_of("split.column")) for name in ml_model.split.columns]
    if ml_model.folds is not None:
        named += [(name, "fold column", place_of_folds(ml_model, "column")) for name in ml_model.folds.columns]
    for index, name in enumerate(ml_model.include):
        if name != "*":
            named.append((name, "feature", _place_of_feature(ml_model, index)))
    for index, name in enumerate(ml_model.exclude):
        named.append((name, "excluded feature", places.of(f"features.exclude.{index}")))
    return named


def _place_of_feature(ml_model: MlModel, index: int) -> SourceLocation:
    listed = f"features.{index}"
    return ml_model.places.of(listed if listed in ml_model.places.keys else f"features.include.{index}")


def _split_columns(ml_model: MlModel) -> set[str]:
    """Return the columns that decide where a row is and are features only if they are listed."""
    names = list(ml_model.split.columns) if ml_model.split.by in ("time", "column") else []
    if ml_model.folds is not None and ml_model.folds.by in ("time", "group"):
        names += ml_model.folds.columns
    return {name.lower() for name in names}


def _unknown(
    name: str, use: str, place: SourceLocation, known: Mapping[str, str], ml_model: MlModel
) -> CompileError:  # fmt: skip
    return CompileError(
        f"ml model '{ml_model.name}' uses {use} '{name}', which its training data does not have",
        place,
        suggest(name, known.values()),
    )


def _has_role(name: str, role: str, where: str, place: SourceLocation) -> CompileError:
    return CompileError(
        f"'{name}' is the {role}, and a column with a role is never a feature",
        place,
        f"remove '{name}' from '{where}:'",
    )


def _reserved(name: str, ml_model: MlModel) -> CompileError | None:
    if name.lower().startswith(INTERNAL_PREFIX):
        what = f"feature '{name}' begins with '{INTERNAL_PREFIX}', which is for sqlml's own columns"
    elif name.lower() in {column.lower() for column in SPARK_COLUMNS}:
        what = f"feature '{name}' has the name of a column that Spark's fitted models add"
    else:
        return None
    place = place_of_feature(name, ml_model)
    return CompileError(f"ml model '{ml_model.name}': {what}", place, "give it another name in the SQL, or exclude it")
