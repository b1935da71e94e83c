"""Folds, backtests and the search for params: their specs in, what they declare and errors out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.ir.claims import selector_text
from sqlml.ir.estimators import Estimator, find_estimator
from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.folds import DEFAULT_FOLDS, DEFAULT_WINDOWS, Backtest, Folds
from sqlml.ir.location import Places
from sqlml.ir.spark_params import spark_params
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.tuning import DEFAULT_PARALLELISM, Dimension, Tuning
from sqlml.parse.evaluation import check_measured
from sqlml.parse.problems import validate
from sqlml.parse.specs import MlModelSpec
from sqlml.parse.subject import Subject
from sqlml.parse.transform_checks import check_transforms
from sqlml.parse.transform_entries import to_transform
from sqlml.parse.transform_specs import TransformEntry
from sqlml.parse.tuning_specs import FoldsSpec, TunedTransform, TuneSpec

FOLD_KEYS: Mapping[str | None, frozenset[str]] = MappingProxyType(
    {
        "hash": frozenset({"by", "column", "n", "seed"}),
        "time": frozenset({"by", "column", "n", "gap"}),
        "group": frozenset({"by", "column", "n", "seed"}),
        None: frozenset({"by", "n", "gap", "seed"}),
    }
)
"""Kind of folds to the keys that mean something with it."""

WORDS = tuple(key for key in TunedTransform.model_fields if key not in ("columns", "params"))
"""The words that can be tuned."""

_WHOLE_WORDS = ("quantiles", "max_categories")


def to_folds(spec: MlModelSpec) -> Folds | None:
    """Return the folds that an ML model declares, for itself or for its search."""
    given = spec.folds or (spec.tune.folds if spec.tune is not None else None)
    if given is None:
        return None
    return Folds(given.by, tuple(given.column), given.n or DEFAULT_FOLDS, given.gap, given.seed)


def to_backtest(spec: MlModelSpec) -> Backtest | None:
    """Return the backtest that an ML model declares."""
    given = spec.backtest
    return None if given is None else Backtest(*given.every, given.windows or DEFAULT_WINDOWS, given.gap)


def to_tuning(spec: MlModelSpec, places: Places) -> Tuning | None:
    """Return the search that `tune:` declares; None: there is none."""
    tune = spec.tune
    if tune is None:
        return None
    estimator = find_estimator(spec.estimator, spec.params, spec.problem, spec.family)
    found = [
        _dimension(name, f"tune.params.{name}", ("params", name), space, _is_whole(name, estimator))
        for name, space in tune.params.items()
    ]
    added: list[TransformSpec] = []
    for at, entry in enumerate(tune.transforms):
        position = _position(entry, spec)
        if position is None:
            position = len(spec.transforms) + len(added)
            added.append(to_transform(TransformEntry(columns=_selector(entry)), places.of(f"tune.transforms.{at}")))
        found += _of_transform(entry, f"tune.transforms.{at}", position, places)
    return Tuning(
        tuple(found),
        tune.search,
        tune.metric,
        tuple(added),
        tune.trials,
        tune.time,
        tune.patience,
        42 if tune.seed is None else tune.seed,
        tune.parallelism or DEFAULT_PARALLELISM,
        tune.top,
        tune.k,
    )


def _selector(entry: TunedTransform) -> Any:
    columns = entry.columns
    return columns.names or {key: value for key in ("type", "like") if (value := getattr(columns, key)) is not None}


def _position(entry: TunedTransform, spec: MlModelSpec) -> int | None:
    """Return which entry of `transforms:` is tuned; None: there is none for these columns."""
    return next((at for at, other in enumerate(spec.transforms) if other.columns == entry.columns), None)


def _of_transform(entry: TunedTransform, key: str, position: int, places: Places) -> Iterator[Dimension]:
    whole = to_transform(TransformEntry(columns=_selector(entry)), places.of(key))
    title = selector_text(whole)
    for word in WORDS:
        space = getattr(entry, word)
        if space is not None:
            made = _dimension(
                f"{title}.{word}", f"{key}.{word}", ("transforms", position, word), space, word in _WHOLE_WORDS
            )
            listed = space if isinstance(space, list) else []
            yield replace(made, values=tuple(_as_declared(entry, word, value, whole) for value in listed))
    for name, space in entry.params.items():
        path: tuple[str | int, ...] = ("transforms", position, "params", name)
        is_whole = any(name in stage.params and _is_int(cls, name) for cls, stage in FEATURE_STAGES.items())
        yield _dimension(f"{title}.{name}", f"{key}.params.{name}", path, space, is_whole)


def _as_declared(entry: TunedTransform, word: str, value: Any, whole: TransformSpec) -> Any:
    # What does not fit was said by `check_tuning`.
    fitting = validate(TransformEntry, {"columns": _selector(entry), word: value}, _nobody(whole), [])
    return None if fitting is None else getattr(to_transform(fitting, whole.location), word)


def _nobody(whole: TransformSpec) -> Subject:
    return Subject("", "ml_models.transforms", Places(whole.location))


def _dimension(name: str, key: str, path: tuple[str | int, ...], space: Any, is_whole: bool | None) -> Dimension:
    if isinstance(space, list):
        values = tuple(tuple(value) if isinstance(value, list) else value for value in space)
        return Dimension(name, key, path, values)
    low, high = space["low"], space["high"]
    if is_whole is None:
        is_whole = isinstance(low, int) and isinstance(high, int)
    return Dimension(name, key, path, (), low, high, bool(space.get("log", False)), is_whole)


def _is_whole(name: str, estimator: Estimator | None) -> bool | None:
    """Tell whether a param of the estimator is a whole number; None: it is not known."""
    if estimator is None:
        return None
    owner = (estimator.over or estimator).name
    return _is_int(owner, name) if name in spark_params(owner) else None


def _is_int(stage: str, name: str) -> bool:
    param = spark_params(stage).get(name)
    return param is not None and param.type in ("int", "long")


def check_tuning(spec: MlModelSpec, roles: Mapping[str, str], subject: Subject) -> Iterator[SqlmlError]:
    """Yield what is wrong with folds, the search on them and the backtest, as far as it is known without columns.

    Args:
        roles: column in lower case to its role.
    """
    tune = spec.tune
    estimator = find_estimator(spec.estimator, spec.params, spec.problem, spec.family)
    if spec.folds is not None:
        yield from _check_folds(spec.folds, "folds", spec, subject)
        if estimator is not None and not estimator.is_evaluated:
            what = f"nothing is measured of {spec.estimator}, which folds would be for"
            yield subject.error("folds", what, "remove it")
    if spec.backtest is not None:
        yield from _check_backtest(spec, estimator, subject)
    if tune is None:
        return
    if estimator is not None and not estimator.is_evaluated:
        yield subject.error("tune", f"nothing is measured of {spec.estimator}, by which it could be tuned", "remove it")
    if tune.folds is not None:
        yield from _check_folds(tune.folds, "tune.folds", spec, subject)
        if spec.folds is not None:
            what = "'folds' stand beside 'tune' and in it, and a search is on the folds of its ML model"
            yield subject.error("tune.folds", what, "keep one of the two")
    yield from check_measured(tune.metric, {"top": tune.top, "k": tune.k}, "tune", subject)
    if not tune.params and not any(_said(entry) or entry.params for entry in tune.transforms):
        fix = "add params: {regParam: [0.01, 0.1]}, or transforms: with values to try"
        yield subject.error("tune", "'tune' has nothing to try", fix)
    if tune.search == "grid":
        yield from _check_grid(tune, subject)
    seen: list[TunedTransform] = []
    for at, entry in enumerate(tune.transforms):
        key = f"tune.transforms.{at}"
        if any(entry.columns == other.columns for other in seen):
            yield subject.error(
                key, "two entries of 'transforms' of 'tune' are for the same columns", "make one of them"
            )
        seen.append(entry)
        yield from _check_transform(entry, key, spec, roles, subject)


def _said(entry: TunedTransform) -> list[str]:
    return [word for word in WORDS if getattr(entry, word) is not None]


def _spaces(tune: TuneSpec) -> Iterator[tuple[str, Any]]:
    """Yield the key and the space of everything that is tuned."""
    for name, space in tune.params.items():
        yield f"tune.params.{name}", space
    for at, entry in enumerate(tune.transforms):
        for word in _said(entry):
            yield f"tune.transforms.{at}.{word}", getattr(entry, word)
        for name, space in entry.params.items():
            yield f"tune.transforms.{at}.params.{name}", space


def _check_grid(tune: TuneSpec, subject: Subject) -> Iterator[SqlmlError]:
    for key, space in _spaces(tune):
        if isinstance(space, dict):
            what = f"'{key.rpartition('.')[2]}' is a range, of which a grid cannot try everything"
            yield subject.value_error(key, what, "list the values, or write search: random or search: bayes")
    if tune.seed is not None:
        yield subject.error("tune.seed", "'seed' means nothing to a grid (in 'tune')", "remove it")


def _check_transform(
    entry: TunedTransform, key: str, spec: MlModelSpec, roles: Mapping[str, str], subject: Subject
) -> Iterator[SqlmlError]:
    """Check each value as if it stood in `transforms:`."""
    position = _position(entry, spec)
    base = TransformEntry(columns=_selector(entry)) if position is None else spec.transforms[position]
    if not _said(entry) and not entry.params:
        yield subject.error(key, "an entry of 'transforms' of 'tune' that has nothing to try", "add a word with values")
    for word in _said(entry):
        space = getattr(entry, word)
        values = list(enumerate(space)) if isinstance(space, list) else [("low", space["low"]), ("high", space["high"])]
        for at, value in values:
            errors: list[SqlmlError] = []
            placed = replace(subject, area="ml_models.transforms", written=_always(f"{key}.{word}.{at}"))
            fitting = validate(TransformEntry, {"columns": _selector(entry), word: value}, placed, errors)
            yield from errors
            if fitting is not None:
                tried = base.model_copy(update={word: getattr(fitting, word)})
                variant = spec.model_copy(update={"transforms": [tried]})
                yield from check_transforms(variant, roles, placed)


def _always(key: str) -> Callable[[str], str]:
    """Return what takes every key for the one under which values to try are written."""
    return lambda _: key


def _check_backtest(spec: MlModelSpec, estimator: Estimator | None, subject: Subject) -> Iterator[SqlmlError]:
    if estimator is not None and not estimator.is_evaluated:
        what = f"nothing is measured of {spec.estimator}, which a backtest would be for"
        yield subject.error("backtest", what, "remove it")
    elif spec.event_time is None and spec.split.by != "time":
        yield subject.error("backtest", "a backtest needs a column of time", "add 'event_time:', or split by time")


def _check_folds(folds: FoldsSpec, path: str, spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    for key in sorted(folds.model_fields_set - FOLD_KEYS[folds.by]):
        by = "without 'by'" if folds.by is None else f"with 'by: {folds.by}'"
        ways = [way for way, keys in FOLD_KEYS.items() if way is not None and key in keys]
        fix = f"it goes with by: {' or '.join(ways)}; remove it, or change 'by'"
        yield subject.error(f"{path}.{key}", f"'{key}' means nothing {by} (in '{path}')", fix)
    if folds.by == "group" and not folds.column:
        yield subject.error(path, "folds by group need a column", "add 'column:', such as the customer of a row")
    if folds.by == "time" and not folds.column and spec.event_time is None and spec.split.by != "time":
        yield subject.error(path, "folds by time need a column", "add 'event_time:', or 'column:' to the folds")
    if folds.by == "time" and len(folds.column) > 1:
        yield subject.value_error(f"{path}.column", "folds by time take one column", "name one")
    if folds.gap and spec.split.within is not None:
        what = f"'gap' is for one cut of all rows, and 'within' of the split makes one in each group (in '{path}')"
        yield subject.error(f"{path}.gap", what, "keep one of the two")
