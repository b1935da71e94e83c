"""Checks of an ML model that reads no features: a spec in, the keys that mean nothing to its estimator out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.errors import SqlmlError
from sqlml.ir.estimators import Estimator, Problem, find_estimator
from sqlml.parse.specs import MlModelSpec
from sqlml.parse.subject import Subject


def check_recommendation(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    """Yield what means nothing to an estimator of recommendations or patterns, or to all others."""
    estimator = find_estimator(spec.estimator, spec.params, spec.problem, spec.family)
    if estimator is None:
        return
    if not estimator.reads_features:
        yield from _check_features(spec, estimator, subject)
    if not estimator.is_evaluated and spec.split.by not in (None, "none"):
        what = f"of {spec.estimator} nothing is measured, and no rows are held out for it"
        yield subject.error("split", what, "remove 'split:', or write split: {by: none}")
    for key in ("unseen", "relevant_from") if estimator.problem is not Problem.RECOMMENDATION else ():
        if getattr(spec, key) is not None:
            yield subject.error(key, f"'{key}' is for recommendations, and {spec.estimator} makes none", "remove it")


def _check_features(spec: MlModelSpec, estimator: Estimator, subject: Subject) -> Iterator[SqlmlError]:
    given = {
        "features": bool(spec.features.include or spec.features.exclude),
        "transforms": bool(spec.transforms),
        "allow_leakage": bool(spec.allow_leakage),
    }
    named = ", ".join(f"{role}:" for role in estimator.roles)
    for key, is_given in given.items():
        if is_given:
            yield subject.error(key, f"{spec.estimator} reads no features", f"remove '{key}:'; it reads {named}")
