"""Counts what was dealt out: rows with their folds and a task in; what each fold has, errors and warnings, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, SqlmlError, raise_all
from sqlml.ir.estimators import Problem
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.run.ml.checks import rows_text
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.layout import row_hash
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FOLD = f"{INTERNAL_PREFIX}fold"

_MOST_NAMED = 5
"""So many classes are named in warnings, and the others counted."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold: SQL conditions on the rows to fit on and on those to validate on, and how many these are."""

    number: int
    training: str
    validation: str
    training_rows: int = 0
    validation_rows: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """How errors speak of folds.

    Attributes:
        what: one of them is called.
        by, columns: what rows are dealt out by.
        sides: those of which nothing can be learnt or measured if they are empty or of one class.
    """

    what: str
    by: str | None
    columns: tuple[str, ...]
    place: SourceLocation
    sides: tuple[str, ...] = ("training", "validation")


@dataclass(frozen=True, slots=True)
class Counted:
    """What there is in folds.

    Attributes:
        folds: with their rows.
        warnings: of classes that some fold cannot learn.
        digest: of what all rows hold, whatever their order; empty unless there is a search.
    """

    folds: tuple[Fold, ...]
    warnings: tuple[str, ...]
    digest: str


def count_folds(rows: DataFrame, folds: Sequence[Fold], task: Task, about: About) -> Counted:
    """Count the rows of folds, in one scan.

    Raises:
        DataError, ErrorList: rows that are in none; a fold that nothing can be learnt or measured of.
    """
    from pyspark.sql import functions as sf

    is_classifier = task.entry.problem is Problem.CLASSIFICATION
    by = [sf.col(quote(task.ml_model.label or "")).alias("label")] if is_classifier else []
    measures = [sf.count(sf.lit(1)).alias("rows"), sf.expr(f"count_if({FOLD} IS NULL)").alias("lost")]
    for fold in folds:
        measures += [
            sf.expr(f"count_if({fold.training})").alias(f"training_{fold.number}"),
            sf.expr(f"count_if({fold.validation})").alias(f"validation_{fold.number}"),
        ]
    if task.ml_model.is_searched:
        # Of decimals, which no sum of hashes overflows.
        measures.append(sf.sum(row_hash(rows).cast("decimal(20,0)")).alias("hash"))
    groups = rows.groupBy(*by).agg(*measures).collect()
    if lost := sum(group["lost"] for group in groups):
        raise _lost(lost, about, task.ml_model)
    counted, errors = [], []
    for fold in folds:
        sides = {
            side: {group["label"] if by else None: n for group in groups if (n := group[f"{side}_{fold.number}"])}
            for side in ("training", "validation")
        }
        errors += list(_wrong(fold.number, sides, task, about))
        training, validation = (sum(counts.values()) for counts in sides.values())
        counted.append(replace(fold, training_rows=training, validation_rows=validation))
    raise_all(errors)
    lacking = {
        (group["label"], group["rows"]): numbers
        for group in groups
        if task.classes and (numbers := [fold.number for fold in folds if not group[f"training_{fold.number}"]])
    }
    digest = str(sum(group["hash"] or 0 for group in groups)) if task.ml_model.is_searched else ""
    return Counted(tuple(counted), tuple(_say_lacking(lacking, task, about)), digest)


def _say_lacking(lacking: Mapping[tuple[Any, int], Sequence[int]], task: Task, about: About) -> Iterator[str]:
    """Yield a warning for each class that some fold has no row of to fit on; of two classes it is an error.

    Args:
        lacking: a class and its rows to the numbers of these folds.
    """
    for (value, rows), numbers in sorted(lacking.items(), key=lambda entry: (entry[0][1], str(entry[0])))[:_MOST_NAMED]:
        which = f"{about.what}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        yield (
            f"class '{class_text(value)}' of label '{task.ml_model.label}' has {rows_text(rows)}, and {which} "
            f"{'have' if len(numbers) > 1 else 'has'} none of them to fit on, so that it is never predicted there: "
            f"{_fix(about)}, or leave the class out by 'where:'"
        )
    if (more := len(lacking) - _MOST_NAMED) > 0:
        yield f"so it is with {more} more class{'es' if more > 1 else ''} of label '{task.ml_model.label}'"


_VERBS = {"training": "fitted", "validation": "validated"}


def _lost(count: int, about: About, ml_model: MlModel) -> DataError:
    names, what = ", ".join(f"'{name}'" for name in about.columns), "time" if about.by == "time" else "group"
    said = f"{what} {names} of ml model '{ml_model.name}' is null in {rows_text(count)}"
    fix = "leave them out by 'where:', or give them one"
    return DataError(f"{said}, and such rows are in no {about.what}", about.place, fix)


def _wrong(number: int, sides: Mapping[str, Mapping[Any, int]], task: Task, about: About) -> Iterator[SqlmlError]:
    fold = f"{about.what} {number} of ml model '{task.ml_model.name}'"
    training, validation = (sum(counts.values()) for counts in sides.values())
    needed = task.entry.min_rows(task.ml_model.params)
    if training < needed or ("validation" in about.sides and validation == 0):
        what = f"{fold} has {rows_text(training)} to fit on and {rows_text(validation)} to validate on"
        few = f", and '{task.entry.name}' needs {needed}" if training < needed else ""
        yield DataError(f"{what}{few}", about.place, _fix(about))
        return
    for side in about.sides:
        counts = sides[side]
        if task.classes and len(counts) == 1:
            [(label, rows)] = counts.items()
            yield DataError(
                f"{fold} is {_VERBS[side]} on one class alone: label '{task.ml_model.label}' is {label!r} in all of "
                f"its {rows_text(rows)}, {training} to fit on and {validation} to validate on",
                about.place,
                _fix(about),
            )


def _fix(about: About) -> str:
    return f"ask for fewer or other {about.what}s, or bring more rows"
