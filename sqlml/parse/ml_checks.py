"""Checks of one ML model by itself: a spec in, what contradicts itself or Spark ML's estimators out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlml.errors import SqlmlError, suggest
from sqlml.ir.estimators import ESTIMATORS, NOT_HERE, Estimator, Problem, find_estimator
from sqlml.ir.roles import ROLES
from sqlml.parse.evaluation import check_evaluation
from sqlml.parse.for_each_checks import check_for_each
from sqlml.parse.recommendation_checks import check_recommendation
from sqlml.parse.specs import MlModelSpec, SplitSpec
from sqlml.parse.subject import Subject
from sqlml.parse.transform_checks import check_transforms
from sqlml.parse.tuning import check_tuning

_ROLE_OF_PARAM: Mapping[str, str] = MappingProxyType(
    {
        **{role.param: f"use the role: {role.key}: COLUMN" for role in ROLES.values()},
        "featuresCol": "use features: [COLUMNS]",
        "predictionCol": "remove it; output columns are named after the label, see output_prefix:",
        "probabilityCol": "remove it; output columns are named after the label, see output_prefix:",
        "rawPredictionCol": "remove it; output columns are named after the label, see output_prefix:",
        "inputCol": "name the columns in the entry's columns:",
        "inputCols": "name the columns in the entry's columns:",
        "outputCol": "remove it; sqlml names what a transform makes",
        "outputCols": "remove it; sqlml names what a transform makes",
    }
)
SPLIT_KEYS: Mapping[str | None, frozenset[str]] = MappingProxyType(
    {
        "hash": frozenset({"by", "column", "holdout", "seed", "within"}),
        "time": frozenset({"by", "column", "holdout", "holdout_from", "gap", "within"}),
        "column": frozenset({"by", "column", "holdout_values", "train_values"}),
        "none": frozenset({"by"}),
        None: frozenset({"by", "holdout", "seed", "gap", "within"}),
    }
)
"""Way of splitting to the keys that mean something with it."""


def check_ml_model(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    """Yield what is wrong with an ML model that fits the grammar."""
    yield from _check_estimator(spec, subject)
    yield from _check_col_params(spec.params, "params", subject)
    yield from _check_roles(spec, subject)
    yield from _check_features(spec, subject)
    yield from _check_transforms(spec, subject)
    yield from _check_split(spec.split, spec.event_time, subject)
    yield from check_tuning(spec, {column.lower(): role for role, _, column in _roles(spec)}, subject)
    yield from check_evaluation(spec, subject)
    yield from check_recommendation(spec, subject)
    yield from check_for_each(spec, subject)


def _check_estimator(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    name = spec.estimator
    estimator = find_estimator(name, spec.params, spec.problem, spec.family)
    if estimator is None and "." in name:
        fix = "add problem: classification, problem: regression or problem: clustering"
        yield subject.value_error("estimator", f"estimator '{name}' does not say what it answers", fix)
        return
    if estimator is None:
        known = suggest(name, ESTIMATORS, "there are")
        reason = f"estimator '{name}' cannot be used: {NOT_HERE[name]}" if name in NOT_HERE else ""
        yield subject.value_error("estimator", reason or f"unknown estimator '{name}'", known)
        return
    if name == "OneVsRest" and (error := _wrong_classifier(spec, subject)) is not None:
        yield error
        return
    for key in ("problem", "family") if not estimator.is_foreign else ():
        if getattr(spec, key) is not None:
            what = f"'{key}' is for estimators by import path, and of {name} it is known"
            yield subject.error(key, what, f"remove '{key}:'")
    yield from _check_roles_of_estimator(spec, estimator, subject)
    if estimator.problem is not Problem.CLASSIFICATION:
        for key, value in (("positive", spec.positive), ("threshold", spec.threshold)):
            if value is not None:
                yield subject.error(key, f"'{key}' is for classifiers, and {name} is none", f"remove '{key}:'")
    elif spec.threshold is not None and estimator.threshold_param is None:
        what = f"{name} gives scores and no probabilities, on which 'threshold' would be"
        yield subject.error("threshold", what, "remove 'threshold:', or take another estimator")


def _wrong_classifier(spec: MlModelSpec, subject: Subject) -> SqlmlError | None:
    classifiers = [
        name for name, entry in ESTIMATORS.items() if entry.problem is Problem.CLASSIFICATION and name != "OneVsRest"
    ]
    given = spec.params.get("classifier")
    if given in classifiers:
        return None
    if given is None:
        what = "OneVsRest needs to know of which classifier to make one for each class"
        return subject.value_error(
            "estimator", what, "add it to the params, with its own: params: {classifier: LinearSVC}"
        )
    return subject.value_error("params.classifier", f"'{given}' is no classifier", suggest(str(given), classifiers))


def _check_roles_of_estimator(spec: MlModelSpec, estimator: Estimator, subject: Subject) -> Iterator[SqlmlError]:
    for key, role in ROLES.items():
        is_given = getattr(spec, key) is not None
        meaning = "" if key == "label" else f", {role.about}"
        if key in estimator.roles and role.is_needed and not is_given:
            article = "an" if role.name[0] in "aeio" else "a"
            what = f"{spec.estimator} needs {article} {role.name}"
            yield subject.error("estimator", what, f"add '{key}: COLUMN'{meaning}")
        if is_given and key not in estimator.roles:
            fix = f"remove '{key}:'; to keep the column out of the features, exclude it"
            if not estimator.reads_features:
                named = ", ".join(f"{own}:" for own in estimator.roles)
                fix = f"remove '{key}:'; it takes {named}"
            yield subject.error(key, f"{spec.estimator} takes no {role.name}", fix)


def _check_col_params(params: Mapping[str, Any], path: str, subject: Subject) -> Iterator[SqlmlError]:
    for param in params:
        if param.endswith(("Col", "Cols")):
            fix = _ROLE_OF_PARAM.get(
                param, "remove it; columns are named by their roles: label, weight, keys, features"
            )
            yield subject.error(f"{path}.{param}", f"param '{param}' names a column, which params may not", fix)


def _roles(spec: MlModelSpec) -> Iterator[tuple[str, str, str]]:
    """Yield role, key path and column."""
    for key, name in {"event_time": "event time", **{key: role.name for key, role in ROLES.items()}}.items():
        column = getattr(spec, key)
        if column is not None:
            yield name, key, column
    for position, column in enumerate(spec.keys):
        yield "key", f"keys.{position}", column
    # Rows may be told apart by what they are fitted by as well.
    if spec.for_each is not None and spec.for_each.column not in spec.keys:
        yield "for_each column", "for_each.column", spec.for_each.column


def _check_roles(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    taken: dict[str, str] = {}
    for role, path, column in _roles(spec):
        first = taken.setdefault(column.lower(), role)
        if (first, path) != (role, path) or (role == "key" and spec.keys.index(column) != int(path[5:])):
            both = f"two roles: {first} and {role}" if first != role else "the same role twice"
            yield subject.value_error(
                path, f"column '{column}' has {both}", "a column has one role: remove it from one of the two"
            )


def _check_features(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    roles = {column.lower(): role for role, _, column in _roles(spec)}
    include, exclude = spec.features.include, spec.features.exclude
    excluded = {column.lower() for column in exclude}
    seen: set[str] = set()
    for position, column in enumerate(include):
        path = f"features.include.{position}"
        name = column.lower()
        if name in roles:
            what = f"feature '{column}' is the {roles[name]}, and a column with a role is never a feature"
            yield subject.error(path, what, "remove it from the features, or give the role to another column")
        if name in excluded:
            yield subject.error(
                path, f"feature '{column}' is both included and excluded", "remove it from one of the two"
            )
        if name in seen:
            yield subject.error(path, f"feature '{column}' stands twice in the features", "remove one")
        seen.add(name)
    if "*" in excluded:
        yield subject.error("features.exclude", "'features' excludes everything", "name the columns to leave out")


def _check_transforms(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    for position, entry in enumerate(spec.transforms):
        yield from _check_col_params(entry.params, f"transforms.{position}.params", subject)
    yield from check_transforms(spec, {column.lower(): role for role, _, column in _roles(spec)}, subject)


def _check_split(split: SplitSpec, event_time: str | None, subject: Subject) -> Iterator[SqlmlError]:
    allowed = SPLIT_KEYS[split.by]
    for key in sorted(split.model_fields_set - allowed):
        by = "without 'by'" if split.by is None else f"with 'by: {split.by}'"
        ways = [way for way, keys in SPLIT_KEYS.items() if way is not None and key in keys]
        fix = f"it goes with by: {' or '.join(ways)}; remove it, or change 'by'"
        yield subject.error(f"split.{key}", f"'{key}' means nothing {by} (in 'split')", fix)
    if split.by == "time":
        if not split.column and event_time is None:
            yield subject.error(
                "split", "a split by time needs a column", "add 'event_time:', or 'column:' to the split"
            )
        if split.holdout is not None and split.holdout_from is not None:
            what = "'holdout' and 'holdout_from' both say where the hold-out starts (in 'split')"
            yield subject.error("split.holdout_from", what, "keep one of the two")
        if split.within is not None and split.holdout_from is not None:
            what = "'holdout_from' is one instant for all rows, and 'within' asks for one in each group (in 'split')"
            yield subject.error("split.within", what, "keep one of the two")
    if split.by in ("time", None) and split.within is not None and split.gap:
        what = "'gap' is for one cut of all rows, and 'within' makes one in each group (in 'split')"
        yield subject.error("split.gap", what, "keep one of the two")
    if split.by == "column":
        if not split.column:
            yield subject.error("split", "a split by column needs 'column'", "add 'column:' to the split")
        if not split.holdout_values:
            yield subject.error(
                "split",
                "a split by column needs 'holdout_values'",
                "add 'holdout_values: [test]', or what the column holds",
            )
    if split.by in ("time", "column") and len(split.column) > 1:
        yield subject.value_error("split.column", f"a split by {split.by} takes one column", "name one")
    for value in split.train_values:
        if value in split.holdout_values:
            yield subject.value_error(
                "split.train_values", f"value '{value}' is both fitted on and held out", "remove it from one of the two"
            )
