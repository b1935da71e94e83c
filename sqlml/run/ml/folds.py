"""Deals rows out to folds and to windows of time: rows and an ML model in, the fold of each, found disjoint, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlml.ir.features import INTERNAL_PREFIX, place_of_folds
from sqlml.ir.folds import Backtest, Folds
from sqlml.ir.splits import resolve_backtest, resolve_folds
from sqlml.run.ml.disjoint import assert_disjoint
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.fold_counts import FOLD, About, Counted, Fold, count_folds
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.split import MOST_EXACT, hash_sql, hashed_columns, instant, learn_cuts, micros_sql
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_GROUP = f"{INTERNAL_PREFIX}group"
_SIZE = f"{INTERNAL_PREFIX}size"
_PLACE = f"{INTERNAL_PREFIX}place"


@dataclass(frozen=True, slots=True)
class Folded:
    """Training rows that were dealt out.

    Attributes:
        rows: with the column `FOLD`, kept.
        counted: the folds, and what there is to say of them.
        facts: what a version remembers of them.
    """

    rows: DataFrame
    counted: Counted
    facts: Mapping[str, Any]

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The folds, in order, from number 1."""
        return self.counted.folds

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
    about = About("fold", resolved.by, resolved.columns, place_of_folds(task.ml_model))
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
    about = About("window", "time", (name,), place, ("training",))
    return _keep(_by_cuts(rows, micros, list(starts.collect()[0]), gap_s), task, about, stack)


def _keep(made: Dealt, task: Task, about: About, stack: ExitStack) -> Folded:
    """Keep rows that were dealt out, count them and see that no key is in two folds."""
    dealt, folds, facts = persisted(stack, made[0]), made[1], made[2]
    counted = count_folds(dealt, folds, task, about)
    shown = [
        {"fold": fold.number, "training": fold.training_rows, "validation": fold.validation_rows}
        for fold in counted.folds
    ]
    shared = assert_disjoint(dealt, FOLD, task.ml_model, f"{about.what}s")
    return Folded(dealt, counted, {**facts, "rows": shown, "shared_keys": shared})


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
