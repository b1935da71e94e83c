"""Looks at the rows before a fit: split rows in, their profile out, or errors that name what no fit can use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, SqlmlError, raise_all
from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.explanations import Row
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel, Scalar
from sqlml.ir.roles import ROLES, Domain
from sqlml.ir.splits import refit_time
from sqlml.ir.transforms import FeatureTransform
from sqlml.run.ml.failed_values import refuse_values
from sqlml.run.ml.features.alone import alone_with_classes, alone_with_number, correlation_measures
from sqlml.run.ml.features.profile import (
    constant_features,
    feature_sizes,
    not_finite,
    wrong_features,
)
from sqlml.run.ml.features.scan import scan_groups
from sqlml.run.ml.features.statistics import feature_statistics
from sqlml.run.ml.split import micros_sql
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SIDE = "__sqlml_side"
PART = "__sqlml_part"
"""The column with the value of `for_each:` whose fitted model a row is for; without it there is one for all rows."""
TRAINING = "training"
HOLDOUT = "holdout"
MOST_CLASSES = 1000
MOST_PARTS = 200
"""So many values get a fitted model each: every one is a branch of each plan that scores."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one scan told of the rows.

    Attributes:
        rows: rows on each side; `excluded` are on neither.
        classes: side to each label value's rows; empty unless a classifier.
        sizes: array and vector features to their length.
        constant: features with one value in all training rows.
        statistics: rows of the table `feature_statistics`.
        parts: value of `PART` to the profile of its rows.
        alone: rows of the table `single_features`.
        latest: with `refit: all` the latest time of the rows of either side, in microseconds since 1970.
    """

    rows: Mapping[str, int]
    classes: Mapping[str, Mapping[Scalar, int]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    statistics: tuple[Row, ...] = ()
    parts: Mapping[str, Profile] = field(default_factory=dict)
    alone: tuple[Row, ...] = ()
    latest: int | None = None


def profile_rows(
    rows: DataFrame,
    count: int,
    ml_model: MlModel,
    estimator: Estimator,
    transforms: Sequence[FeatureTransform],
    *,
    has_holdout: bool,
) -> Profile:
    """Return the profile of `rows`, `count` of them, which have the column `SIDE`, may have `PART`, and no null label.

    Raises:
        DataError, ErrorList: no rows on a side; a feature without any value, with an infinite one, with arrays of
            different lengths; a label or weight that cannot be used. With `PART`, what is wrong with the rows of
            values is one error that names them.
    """
    from pyspark.sql import functions as sf

    has_parts = PART in rows.columns
    by = [sf.col(SIDE), *([sf.col(PART)] if has_parts else [])]
    # Zeros of either sign are one class.
    if estimator.problem is Problem.CLASSIFICATION:
        by.append(sf.col(quote(ml_model.label or "")).alias("label"))
    most = 3 * MOST_CLASSES * (MOST_PARTS if has_parts else 1)
    measures, tied = _measures(rows, ml_model, estimator), _label_measures(ml_model, estimator, transforms)
    groups = scan_groups(rows, count, by, measures, transforms=transforms, more=tied, most=most + 1)
    if len(groups) > most:
        raise DataError(
            f"label '{ml_model.label}' of ml model '{ml_model.name}' has more than {MOST_CLASSES} values",
            ml_model.places.value_of("label"),
            f"'{estimator.name}' tells classes apart; for a number take an estimator of regression",
        )
    whole = replace(_profile(groups, transforms, estimator), alone=_find_alone(groups, transforms, estimator))
    raise_all(_wrong_sides(whole.rows, ml_model, has_holdout))
    used = [group for group in groups if group[SIDE] is not None]
    if refit_time(ml_model) is not None:
        times = [group["latest"] for group in used if group["latest"] is not None]
        whole = replace(whole, latest=max(times, default=None))
    errors = _wrong_numbers(used, ml_model, estimator)
    if has_parts:
        raise_all(errors)
        return replace(whole, parts=_profile_parts(used, whole, transforms, ml_model, estimator))
    raise_all([*_unfit(groups, whole, transforms, ml_model, estimator), *errors])
    raise_all(_wrong_classes(whole.classes, ml_model, estimator))
    return whole


def _profile(groups: Sequence[Any], transforms: Sequence[FeatureTransform], estimator: Estimator) -> Profile:
    totals: dict[str, int] = {TRAINING: 0, HOLDOUT: 0, "excluded": 0}
    classes: dict[str, dict[Scalar, int]] = {TRAINING: {}, HOLDOUT: {}}
    is_classifier = estimator.problem is Problem.CLASSIFICATION
    for group in groups:
        side = group[SIDE] or "excluded"
        totals[side] += group["n"]
        if is_classifier and side in classes:
            value = _plain(group["label"])
            classes[side][value] = classes[side].get(value, 0) + group["n"]
    training = [group for group in groups if group[SIDE] == TRAINING]
    statistics: list[Row] = []
    for side in (TRAINING, HOLDOUT) if transforms else ():
        if of_side := [group for group in groups if group[SIDE] == side]:
            statistics += feature_statistics(of_side, transforms, side)
    return Profile(
        totals,
        classes if is_classifier else {},
        feature_sizes(training, transforms) if training else {},
        tuple(constant_features(training, transforms)),
        tuple(statistics),
    )


def _find_alone(groups: Sequence[Any], transforms: Sequence[FeatureTransform], estimator: Estimator) -> tuple[Row, ...]:
    """Return how well each feature tells the label by itself."""
    sides = {side: [group for group in groups if group[SIDE] == side] for side in (TRAINING, HOLDOUT)}
    if estimator.problem is Problem.REGRESSION:
        return tuple(alone_with_number(sides, transforms))
    if estimator.problem is not Problem.CLASSIFICATION:
        return ()
    by_class: dict[str, dict[Scalar, list[Any]]] = {side: {} for side in sides}
    for side, of_side in sides.items():
        for group in of_side:
            by_class[side].setdefault(_plain(group["label"]), []).append(group)
    return tuple(alone_with_classes(by_class, transforms))


def _profile_parts(
    groups: Sequence[Any],
    whole: Profile,
    transforms: Sequence[FeatureTransform],
    ml_model: MlModel,
    estimator: Estimator,
) -> dict[str, Profile]:
    """Return the profile of the rows of each value, all of which have the same classes."""
    found: dict[str, Profile] = {}
    failed: dict[str, list[SqlmlError]] = {}
    for value in sorted({group[PART] for group in groups}):
        own = [group for group in groups if group[PART] == value]
        profile = found[value] = _profile(own, transforms, estimator)
        errors = _unfit(own, profile, transforms, ml_model, estimator)
        errors += _wrong_classes(profile.classes, ml_model, estimator)
        missing = [repr(label) for label in whole.classes.get(TRAINING, ()) if label not in profile.classes[TRAINING]]
        if missing and not errors:
            what = f"no training row has the label {', '.join(missing)}, which rows of other values have"
            errors.append(DataError(what))
        if errors:
            failed[value] = errors
    refuse_values(failed, len(found), ml_model)
    return found


def _unfit(
    groups: Sequence[Any],
    profile: Profile,
    transforms: Sequence[FeatureTransform],
    ml_model: MlModel,
    estimator: Estimator,
) -> list[SqlmlError]:
    """Return why training rows are too few, or their features such that nothing can be learnt from them."""
    training = [group for group in groups if group[SIDE] == TRAINING]
    return _too_few(profile.rows[TRAINING], ml_model, estimator) + wrong_features(training, transforms, ml_model)


def _measures(rows: DataFrame, ml_model: MlModel, estimator: Estimator) -> list[Column]:
    from pyspark.sql import functions as sf

    measures = [sf.count(sf.lit(1)).alias("n")]
    if ml_model.label is not None:
        label = quote(ml_model.label)
        is_wrong = not_finite(label) if dict(rows.dtypes).get(ml_model.label) in ("float", "double") else "false"
        measures.append(sf.expr(f"count_if({is_wrong})").alias("wrong_labels"))
        if estimator.problem is Problem.REGRESSION:
            outside = _OUTSIDE[estimator.label_domain(ml_model.params)].format(f"CAST({label} AS DOUBLE)")
            measures.append(sf.expr(f"count_if({outside})").alias("outside_labels"))
    if (time := refit_time(ml_model)) is not None:
        measures.append(sf.expr(f"max({micros_sql(time)})").alias("latest"))
    for key, name in ml_model.role_columns.items():
        if not ROLES[key].domain.is_number:
            measures.append(sf.expr(f"count_if({quote(name)} IS NULL)").alias(f"wrong_{key}"))
        elif key != "label":
            value = f"CAST({quote(name)} AS DOUBLE)"
            is_wrong = f"{value} IS NULL OR {not_finite(value)} OR {_OUTSIDE[ROLES[key].domain].format(value)}"
            measures.append(sf.expr(f"count_if({is_wrong})").alias(f"wrong_{key}"))
            measures.append(sf.expr(f"max({value})").alias(f"greatest_{key}"))
    return measures


def _label_measures(ml_model: MlModel, estimator: Estimator, transforms: Sequence[FeatureTransform]) -> list[Column]:
    """Return what tells how features and the label of a regression go together."""
    if estimator.problem is not Problem.REGRESSION or ml_model.label is None:
        return []
    censor = ml_model.role_columns.get("censor")
    known = "true" if censor is None else f"CAST({quote(censor)} AS DOUBLE) = 1"
    return correlation_measures(transforms, f"CAST({quote(ml_model.label)} AS DOUBLE)", known)


_OUTSIDE = {
    Domain.ANY: "false",
    Domain.NON_NEGATIVE: "{0} < 0",
    Domain.POSITIVE: "{0} <= 0",
    Domain.SHARE: "{0} NOT BETWEEN 0 AND 1",
    Domain.ZERO_ONE: "{0} NOT IN (0, 1)",
}
_NULL = ("null", "leave them out by 'where:'")
_WRONG_ROLE = {
    "user": _NULL,
    "item": _NULL,
    "items": _NULL,
    "rating": ("null or not finite", "make it null in the SQL, or leave them out by 'where:'"),
    "weight": ("null, negative or not finite", "a weight is a number, 0 or more"),
    "offset": ("null or not finite", "give it a number in the SQL, or leave them out by 'where:'"),
    "censor": ("neither 0 nor 1", "write 1 (or true) where it happened, and 0 where it had not happened yet"),
}
_NOT_ALL_ZERO = {
    "weight": "give some row a weight",
    "censor": "of rows where it never happened nothing can be learnt: it is 1 (or true) where it happened",
}


def _wrong_sides(rows: Mapping[str, int], ml_model: MlModel, has_holdout: bool) -> list[SqlmlError]:
    place = ml_model.places.value_of("where" if ml_model.where else "training_data")
    if rows[TRAINING] + rows[HOLDOUT] == 0:
        rest = f" left after its 'where:', null labels and split ({rows['excluded']} rows)" if rows["excluded"] else ""
        return [
            DataError(f"ml model '{ml_model.name}' has no rows to fit on{rest}", place, "look at the training data")
        ]
    split = ml_model.places.value_of("split")
    fix = "choose another 'split:', or {by: none} to evaluate on the training rows"
    if rows[TRAINING] == 0:
        return [DataError(f"every row of ml model '{ml_model.name}' is held out, none is left to fit on", split, fix)]
    if has_holdout and rows[HOLDOUT] == 0:
        return [DataError(f"the hold-out of ml model '{ml_model.name}' is empty", split, fix)]
    return []


def _too_few(rows: int, ml_model: MlModel, estimator: Estimator) -> list[SqlmlError]:
    needed = estimator.min_rows(ml_model.params)
    if rows >= needed:
        return []
    what = f"ml model '{ml_model.name}' has {rows_text(rows)} to fit on, and '{estimator.name}' needs {needed}"
    given = " or lower its 'k'" if "k" in ml_model.params else ""
    return [DataError(what, ml_model.places.value_of("training_data"), f"bring more rows{given}")]


def _wrong_numbers(groups: Sequence[Any], ml_model: MlModel, estimator: Estimator) -> list[SqlmlError]:
    errors: list[SqlmlError] = []
    for key, name in ml_model.role_columns.items():
        what, place = f"{ROLES[key].name} '{name}' of ml model '{ml_model.name}'", ml_model.places.value_of(key)
        if key == "label" and "rating" in ml_model.role_columns:
            continue
        if key == "label":
            errors += _wrong_label(groups, what, place, ml_model, estimator)
        elif count := sum(group[f"wrong_{key}"] for group in groups):
            wrong, fix = _WRONG_ROLE[key]
            errors.append(DataError(f"{what} is {wrong} in {rows_text(count)}", place, fix))
        elif key in _NOT_ALL_ZERO and not any(group[f"greatest_{key}"] for group in groups):
            errors.append(DataError(f"{what} is 0 in every row", place, _NOT_ALL_ZERO[key]))
        elif key == "rating" and estimator.returns is Returns.PREFERENCE and not _is_above(groups, key):
            fix = "with implicitPrefs: true it says how often something was done: some of it must have been"
            errors.append(DataError(f"{what} is above 0 in no row", place, fix))
    return errors


def _is_above(groups: Sequence[Any], key: str) -> bool:
    return any((group[f"greatest_{key}"] or 0) > 0 for group in groups)


def _wrong_label(
    groups: Sequence[Any], what: str, place: SourceLocation, ml_model: MlModel, estimator: Estimator
) -> list[SqlmlError]:
    fix = "make it null in the SQL, or leave them out by 'where:'"
    if count := sum(group["wrong_labels"] for group in groups):
        return [DataError(f"{what} is NaN or infinite in {rows_text(count)}", place, fix)]
    if estimator.problem is not Problem.REGRESSION or not (count := sum(group["outside_labels"] for group in groups)):
        return []
    family = f" with family '{ml_model.params['family']}'" if "family" in ml_model.params else ""
    domain = estimator.label_domain(ml_model.params).value
    what = f"{what} is not {domain} in {rows_text(count)}, and '{estimator.name}'{family} learns no other"
    return [DataError(what, place, fix)]


def rows_text(count: int) -> str:
    """Return `1 row`, `2 rows` …."""
    return f"{count} row{'' if count == 1 else 's'}"


def _wrong_classes(
    classes: Mapping[str, Mapping[Scalar, int]], ml_model: MlModel, estimator: Estimator
) -> list[SqlmlError]:
    if estimator.problem is not Problem.CLASSIFICATION:
        return []
    values = sorted(classes[TRAINING], key=str)
    shown = ", ".join(repr(value) for value in values[:10])
    what = f"label '{ml_model.label}' of ml model '{ml_model.name}'"
    place = ml_model.places.value_of("label")
    if len(values) < 2:
        fix = "a classifier needs two classes"
        return [DataError(f"{what} has one value in the training rows: {shown}", place, fix)]
    if len(values) > MOST_CLASSES:
        fix = f"at most {MOST_CLASSES} classes can be told apart"
        return [DataError(f"{what} has {len(values)} values", place, fix)]
    if estimator.max_classes is not None and len(values) > estimator.max_classes:
        fix = f"'{estimator.name}' tells {estimator.max_classes} classes apart; RandomForestClassifier any number"
        return [DataError(f"{what} has {len(values)} values: {shown}", place, fix)]
    if missing := [value for value in classes[HOLDOUT] if value not in classes[TRAINING]]:
        names = ", ".join(repr(value) for value in missing[:10])
        fix = "leave them out by 'where:', or choose another 'split:'"
        return [DataError(f"{what} has values in the hold-out that no training row has: {names}", place, fix)]
    return []


def _plain(value: Any) -> Scalar:
    """Return a label's value as JSON can hold it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    number = float(value)
    return 0.0 if number == 0 else number
