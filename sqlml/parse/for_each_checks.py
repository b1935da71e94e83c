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
        what = "'for_each' is for classifiers and regressions, whose predictions mean the same for every value"
        yield subject.error("for_each", f"{what}, and {spec.estimator} is neither", by_hand)
    if any(entry.enabled for entry in spec.outputs):
        what = "'outputs' look for rows near each other by one fitted pipeline, and 'for_each' makes one for each value"
        yield subject.error("outputs", what, f"remove them, or {by_hand}")
    alone = [column.lower()]
    if [name.lower() for name in spec.split.column] == alone:
        what = f"a split by '{column}' alone puts all rows of a value on one side, and 'for_each' fits on each value"
        fix = f"split by other columns; 'within: {column}' holds out a share of each value"
        yield subject.error("split.column", what, fix)
    tuned = None if spec.tune is None else spec.tune.folds
    for key, folds in (("folds", spec.folds), ("tune.folds", tuned)):
        if folds is not None and [name.lower() for name in folds.column] == alone:
            what = f"folds by '{column}' alone put all rows of a value into one, and 'for_each' deals out each value"
            yield subject.error(f"{key}.column", what, "deal them out by other columns")
