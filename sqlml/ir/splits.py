"""The split, the folds and the backtest of an ML model with their defaults."""

from __future__ import annotations

from dataclasses import replace

from sqlml.ir.estimators import estimator_of
from sqlml.ir.folds import Backtest, FoldKind, Folds
from sqlml.ir.project import MlModel, Split


def resolve_split(ml_model: MlModel) -> Split:
    """Return the split of `ml_model` with its defaults: by event time if there is one, else by hash of the keys.

    Nothing is held out from an estimator of which nothing is measured.
    """
    split = ml_model.split
    by = split.by or ("time" if ml_model.event_time else "hash")
    if not estimator_of(ml_model).is_evaluated:
        by = "none"
    columns = split.columns
    if not columns and by == "time" and ml_model.event_time:
        columns = (ml_model.event_time,)
    if not columns and by == "hash":
        columns = ml_model.keys
    return replace(split, by=by, columns=columns)


def refit_time(ml_model: MlModel) -> str | None:
    """Return the column of time that tells which rows came after those that `refit: all` has seen; None: none does."""
    times = _time_columns(resolve_split(ml_model), ml_model) if ml_model.refit == "all" else ()
    return times[0] if times else None


def resolve_folds(ml_model: MlModel) -> Folds:
    """Return the folds of `ml_model` with their defaults, which follow the split.

    By time where the split is, or where nothing says how to split and there is an event time; else by hash, of the
    columns that the split hashes, of the keys, or (none are named) of the whole row. With a split `within` a column the
    rows of each of its values are dealt out.
    """
    split, given = resolve_split(ml_model), ml_model.folds or Folds()
    is_timed = split.by == "time" or (split.by in ("none", "column") and ml_model.event_time is not None)
    by: FoldKind = given.by or ("time" if is_timed else "hash")
    columns = given.columns
    if not columns and by == "time":
        columns = _time_columns(split, ml_model)
    if not columns and by == "hash":
        columns = split.columns if split.by == "hash" else ml_model.keys
    gap_s = split.gap_s if given.gap_s is None else given.gap_s
    return Folds(
        by=by,
        columns=columns,
        n=given.n,
        gap_s=gap_s if by == "time" else 0,
        # Another seed than a split's, whose rows would all fall into a few folds.
        seed=split.seed + 1 if given.seed is None else given.seed,
        within=split.within if by != "group" else None,
    )


def resolve_backtest(ml_model: MlModel, backtest: Backtest) -> tuple[str, int]:
    """Return the column of time that a backtest follows, and its gap in seconds; both are the split's where it has one.

    Args:
        backtest: of `ml_model`, which has an event time or a split by time.
    """
    split = resolve_split(ml_model)
    return _time_columns(split, ml_model)[0], split.gap_s if backtest.gap_s is None else backtest.gap_s


def _time_columns(split: Split, ml_model: MlModel) -> tuple[str, ...]:
    """Return the column of time that rows are dealt out by: that of a split by time, else the event time, if any."""
    if split.by == "time":
        return split.columns
    return (ml_model.event_time,) if ml_model.event_time else ()
