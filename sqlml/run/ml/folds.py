"""Deals rows out to folds and to windows of time: rows and an ML model in, the fold of each, found disjoint, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, SqlmlError, raise_all
from sqlml.ir.estimators import Problem
from sqlml.ir.features import INTERNAL_PREFIX, place_of_folds
from sqlml.ir.folds import Backtest, Folds
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.ir.splits import resolve_backtest, resolve_folds
from sqlml.run.ml.checks import rows_text
from sqlml.run.ml.disjoint import assert_disjoint
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.split import MOST_EXACT, hash_sql, hashed_columns, instant, learn_cuts, micros_sql
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FOLD = f"{INTERNAL_PREFIX}fold"
_GROUP = f"{INTERNAL_PREFIX}group"
_SIZE = f"{INTERNAL_PREFIX}size"
_PLACE = f"{INTERNAL_PREFIX}place"


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold: SQL conditions on the rows to fit on and on those to validate on, and how many these are."""

    number: int
    training: str
    validation: str
    training_rows: int = 0
    validation_rows: int = 0


@dataclass(frozen=True, slots=True)
class Folded:
    """Training rows that were dealt out.

    Attributes:
        rows: with the column `FOLD`, kept.
        folds: in order, from number 1.
        facts: what a version remembers of them.
    """

    rows: DataFrame
    folds: tuple[Fold, ...]
    facts: Mapping[str, Any]

    def training(self, fold: Fold) -> DataFrame:
        """Return the rows that a fold is fitted on."""
        return self.rows.where(fold.training).drop(FOLD)

    def validation(self, fold: Fold) -> DataFrame:
        """Return the rows that a fold is validated on."""
        return self.rows.where(fold.validation).drop(FOLD)


def deal_folds(rows: DataFrame, task: Task, stack: ExitStack) -> Folded:
    """Deal the training rows of `task` out.

    - hash: fold `1 + pmod(xxhash64(columns, seed), n)`, so that equal columns stay together.
    - group: the groups, those of most rows first, are dealt out one by one, there and back again (1 … n, n … 1).
    - time: n + 1 stretches of about as many rows each, cut as a split by time is; equal instants stay together. Fold i
      is validated on stretch i, counted from 0, and fitted on all rows more than the gap before it.
    - hash or time within a column: the same among the rows of each of its values.

    Raises:
        DataError, ErrorList: a fold is empty, or has one class alone; a row has no time or no group; a key is in two.
    """
    resolved = resolve_folds(task.ml_model)
    deal = {"group": _by_group, "time": _by_time}.get(resolved.by or "", _by_hash)
    dealt, folds, facts = deal(rows.drop(SLICES), resolved)
    about = _About("fold", resolved.by, resolved.columns, place_of_folds(task.ml_model))
    return _keep((dealt, folds, {"by": resolved.by, "n": resolved.n, **facts}), task, about, stack)


def deal_windows(rows: DataFrame, task: Task, backtest: Backtest, stack: ExitStack) -> Folded:
    """Deal rows out to the windows of a backtest, in the order of time; their facts tell `from` when each is.

    Window i of n is all less than n - i + 1 lengths and at least n - i before the latest row, which is in the last. It
    is validated by a fit on all rows more than the gap before it.

    Raises:
        DataError, ErrorList: a window that there is nothing to fit on for, or one class alone; a row without a time; a
            key in two windows.
    """
    name, gap_s = resolve_backtest(task.ml_model, backtest)
    rows, micros = rows.drop(SLICES), micros_sql(name)
    latest = rows.selectExpr(f"timestamp_micros(max({micros})) AS t")
    lengths = [backtest.every * at for at in range(backtest.windows, 0, -1)]
    starts = latest.selectExpr(*[f"unix_micros(timestampadd({backtest.unit}, -{length}, t))" for length in lengths])
    place = task.ml_model.places.value_of("backtest")
    about = _About("window", "time", (name,), place, ("training",))
    return _keep(_by_cuts(rows, micros, list(starts.collect()[0]), gap_s), task, about, stack)


def _keep(made: Dealt, task: Task, about: _About, stack: ExitStack) -> Folded:
    """Keep rows that were dealt out, count them and see that no key is in two folds."""
    dealt, folds, facts = persisted(stack, made[0]), made[1], made[2]
    counted = _count(dealt, folds, task, about)
    shown = [
        {"fold": fold.number, "training": fold.training_rows, "validation": fold.validation_rows} for fold in counted
    ]
    shared = assert_disjoint(dealt, FOLD, task.ml_model, f"{about.what}s")
    return Folded(dealt, counted, {**facts, "rows": shown, "shared_keys": shared})


@dataclass(frozen=True, slots=True)
class _About:
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


Dealt = tuple["DataFrame", list[Fold], dict[str, Any]]


def _in_turn(count: int) -> list[Fold]:
    return [Fold(at, f"{FOLD} != {at}", f"{FOLD} = {at}") for at in range(1, count + 1)]


def _by_hash(rows: DataFrame, folds: Folds) -> Dealt:
    names = hashed_columns(rows, folds.columns)
    facts: dict[str, Any] = {"columns": list(names), "seed": folds.seed}
    values = [quote(name) for name in names]
    bucket = hash_sql(values, folds.seed or 0, folds.n)
    if folds.within is not None:
        order = hash_sql(values, folds.seed or 0, MOST_EXACT)
        rank = f"dense_rank() OVER (PARTITION BY {quote(folds.within)} ORDER BY {order}) - 1"
        bucket, facts = f"pmod({rank}, {folds.n})", {**facts, "within": folds.within}
    return rows.selectExpr("*", f"CAST({bucket} + 1 AS INT) AS {FOLD}"), _in_turn(folds.n), facts


def _by_group(rows: DataFrame, folds: Folds) -> Dealt:
    from pyspark.sql import functions as sf

    names = [quote(name) for name in folds.columns]
    known = rows.where(" AND ".join(f"{name} IS NOT NULL" for name in names))
    order = f"ORDER BY {_SIZE} DESC, xxhash64({', '.join(names)}, {folds.seed}), {', '.join(names)}"
    turn, n = f"pmod({_PLACE}, {2 * folds.n})", folds.n
    groups = (
        known.groupBy(*[sf.col(name) for name in names])
        .agg(sf.count(sf.lit(1)).alias(_SIZE))
        .selectExpr("*", f"row_number() OVER ({order}) - 1 AS {_PLACE}")
        .selectExpr(
            *[f"{name} AS {_GROUP}_{at}" for at, name in enumerate(names)],
            f"CAST(IF({turn} < {n}, {turn}, {2 * n - 1} - {turn}) + 1 AS INT) AS {FOLD}",
        )
    )
    matches = [sf.col(name) == sf.col(f"{_GROUP}_{at}") for at, name in enumerate(names)]
    dealt = rows.join(groups, matches, "left").drop(*[f"{_GROUP}_{at}" for at in range(len(names))])
    return dealt, _in_turn(n), {"columns": list(folds.columns), "seed": folds.seed}


def _by_time(rows: DataFrame, folds: Folds) -> Dealt:
    name, n = folds.columns[0], folds.n
    micros, gap_s = micros_sql(name), folds.gap_s or 0
    facts: dict[str, Any] = {"columns": [name], "gap_s": folds.gap_s}
    shares = [at / (n + 1) for at in range(1, n + 1)]
    if folds.within is None:
        dealt, made, found = _by_cuts(rows, micros, learn_cuts(rows, micros, shares), gap_s)
        return dealt, made, facts | found
    group = f"PARTITION BY {quote(folds.within)}"
    cuts = [f"percentile_disc({share}D) WITHIN GROUP (ORDER BY {micros}) OVER ({group})" for share in shares]
    stretch = _stretch(micros, [f"{micros} > {cut}" for cut in cuts])
    return rows.selectExpr("*", stretch), _in_order([None] * n, micros, 0), facts | {"within": folds.within}


def _by_cuts(rows: DataFrame, micros: str, cuts: Sequence[int | None], gap_s: int) -> Dealt:
    """Deal rows out to the stretches between instants, in microseconds since 1970; None: nothing is behind it."""
    stretch = _stretch(micros, ["false" if cut is None else f"{micros} >= {cut}" for cut in cuts])
    facts = {"from": [None if cut is None else instant(cut) for cut in cuts]}
    return rows.selectExpr("*", stretch), _in_order(cuts, micros, gap_s), facts


def _stretch(micros: str, passed: Sequence[str]) -> str:
    """Return the column that counts which of some instants a row has passed."""
    return f"IF({micros} IS NULL, NULL, {' + '.join(f'IF({one}, 1, 0)' for one in passed)}) AS {FOLD}"


def _in_order(cuts: Sequence[int | None], micros: str, gap_s: int) -> list[Fold]:
    """Return the folds that are each fitted on all that lies more than a gap before the instant where it begins."""
    ends = [f" AND {micros} < {cut - gap_s * 1_000_000}" if gap_s and cut is not None else "" for cut in cuts]
    return [Fold(at, f"{FOLD} < {at}{end}", f"{FOLD} = {at}") for at, end in enumerate(ends, 1)]


def _count(rows: DataFrame, folds: Sequence[Fold], task: Task, about: _About) -> tuple[Fold, ...]:
    """Return the folds with their rows.

    Raises:
        DataError, ErrorList: rows that are in none; a fold that nothing can be learnt or measured of.
    """
    from pyspark.sql import functions as sf

    is_classifier = task.entry.problem is Problem.CLASSIFICATION
    by = [sf.col(quote(task.ml_model.label or "")).alias("label")] if is_classifier else []
    measures = [sf.expr(f"count_if({FOLD} IS NULL)").alias("lost")]
    for fold in folds:
        measures += [
            sf.expr(f"count_if({fold.training})").alias(f"training_{fold.number}"),
            sf.expr(f"count_if({fold.validation})").alias(f"validation_{fold.number}"),
        ]
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
    return tuple(counted)


_VERBS = {"training": "fitted", "validation": "validated"}


def _lost(count: int, about: _About, ml_model: MlModel) -> DataError:
    names, what = ", ".join(f"'{name}'" for name in about.columns), "time" if about.by == "time" else "group"
    said = f"{what} {names} of ml model '{ml_model.name}' is null in {rows_text(count)}"
    fix = "leave them out by 'where:', or give them one"
    return DataError(f"{said}, and such rows are in no {about.what}", about.place, fix)


def _wrong(number: int, sides: Mapping[str, Mapping[Any, int]], task: Task, about: _About) -> Iterator[SqlmlError]:
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


def _fix(about: _About) -> str:
    return f"ask for fewer or other {about.what}s, or bring more rows"
