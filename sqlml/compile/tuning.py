"""Checks what a search tries: an ML model and the relation it learns from in, what no fit could take out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlml.compile.estimator_params import check_estimator_params, check_threshold
from sqlml.compile.ml_types import check_types
from sqlml.compile.readable import Readable
from sqlml.compile.transforms import check_transforms
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.estimators import estimator_of
from sqlml.ir.location import Places
from sqlml.ir.metrics import METRICS, known_metrics
from sqlml.ir.project import MlModel
from sqlml.ir.trials import Choice, probes, with_choice
from sqlml.ir.tuning import Tuning

_FIXED = {
    "classifier": "it decides what is returned: make an ML model for each",
    "implicitPrefs": "it decides what is predicted: make an ML model for each",
}
"""Params that may not be tuned, and why."""


def check_tuning(ml_model: MlModel, training: Readable, features: tuple[str, ...] | None) -> Iterator[SqlmlError]:
    """Yield what is wrong with the search of an ML model: its metric, and everything that it would try.

    Args:
        features: None where unknown.
    """
    tuning = ml_model.tuning
    if tuning is None:
        return
    yield from _check_metric(ml_model, tuning)
    for dimension in tuning.dimensions:
        if dimension.name in _FIXED and dimension.path[0] == "params":
            what = f"param '{dimension.name}' of ml model '{ml_model.name}' cannot be tuned"
            yield CompileError(what, ml_model.places.of(dimension.key), _FIXED[dimension.name])
            return
    for choice in probes(tuning):
        variant = with_choice(ml_model, tuning, choice)
        variant = replace(variant, places=_places(ml_model, tuning, choice))
        yield from check_estimator_params(variant)
        yield from check_threshold(variant)
        if tuning.has_transforms:
            yield from _check_features(variant, training, features)


def _check_metric(ml_model: MlModel, tuning: Tuning) -> Iterator[SqlmlError]:
    entry = estimator_of(ml_model)
    metric, known = tuning.metric, known_metrics(entry)
    if metric is None or metric in known:
        return
    what = f"ml model '{ml_model.name}' is tuned by the metric '{metric}', which"
    if metric not in METRICS:
        what += " there is not"
    else:
        is_other = METRICS[metric].problem is not entry.problem
        what += f" measures a {METRICS[metric].problem}" if is_other else f" {entry.name} does not give"
    fix = suggest(metric, known, f"'{ml_model.estimator}' gives")
    yield CompileError(what, ml_model.places.value_of("tune.metric"), fix)


def _check_features(variant: MlModel, training: Readable, features: tuple[str, ...] | None) -> Iterator[SqlmlError]:
    found = list(check_transforms(variant, training, features))
    yield from found
    errors: list[SqlmlError] = []
    check_types(variant, training, not found and features is not None, errors)
    yield from errors


def _places(ml_model: MlModel, tuning: Tuning, choice: Choice) -> Places:
    """Return the places of an ML model in which what is tried stands where it is written, under `tune:`."""
    places = ml_model.places
    keys, values = dict(places.keys), dict(places.values)
    for dimension in tuning.dimensions:
        target, at = ".".join(map(str, dimension.path)), dimension.ends.index(choice[dimension.name])
        part = str(at) if dimension.values else ("low", "high")[at]
        keys[target] = places.of(dimension.key)
        values[target] = places.value_of(f"{dimension.key}.{part}")
    for at, entry in enumerate(tuning.added, len(ml_model.transforms)):
        keys[f"transforms.{at}"] = values[f"transforms.{at}.columns"] = entry.location
    return Places(places.whole, keys, values)
