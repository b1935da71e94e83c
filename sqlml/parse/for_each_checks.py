"""Checks `for_each:` against the rest of its entry: an ML model's spec in, errors out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.errors import SqlmlError
from sqlml.ir.estimators import Problem, find_estimator
from sqlml.parse.specs import MlModelSpec
from sqlml.parse.subject import Subject

_FOR = (Problem.CLASSIFICATION, Problem.REGRESSION)


def check_for_each(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    """Yield what does not go with one fitted model for each value of a column."""
    if spec.for_each is None:
        return
    column = spec.for_each.column
    by_hand = f'write an entry for each value, with where: "{column} = …"'
    estimator = find_estimator(spec.estimator, spec.params, spec.problem, spec.family)
    if estimator is not None and estimator.problem not in _FOR:
        what = f"'for_each' is for classifiers and regressions, and {spec.estimator} is neither"
        yield subject.error("for_each", what, by_hand)
    for key, is_given in _refused(spec).items():
        if is_given:
            what = f"{'a learnt ' if key == 'threshold' else ''}'{key}' cannot be had with 'for_each' yet"
            yield subject.error(key, what, f"remove it, or {by_hand}")
    dealt = [name.lower() for name in spec.split.column]
    if dealt == [column.lower()]:
        what = f"a split by '{column}' alone puts all rows of a value on one side, and 'for_each' fits on each value"
        fix = f"split by other columns; 'within: {column}' holds out a share of each value"
        yield subject.error("split.column", what, fix)


def _refused(spec: MlModelSpec) -> dict[str, bool]:
    """Return the keys that would have to do their work for each value, and whether they are there."""
    return {
        "tune": spec.tune is not None,
        "folds": spec.folds is not None,
        "threshold": isinstance(spec.threshold, dict),
        "backtest": spec.backtest is not None,
        "outputs": any(entry.enabled for entry in spec.outputs),
    }
