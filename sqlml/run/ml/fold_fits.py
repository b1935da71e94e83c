"""Fits on folds: a task and a fold in, a fit on its training rows and what its validation rows measure out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlml.ir.state import Metric
from sqlml.ir.tuning import Tuning
from sqlml.run.ml.evaluation.measure import measure_fold
from sqlml.run.ml.features import Learnt
from sqlml.run.ml.fitting import Fit, Prepared, Task, fit_prepared, make_features, prepare
from sqlml.run.ml.fold_counts import Fold
from sqlml.run.ml.folds import Folded
from sqlml.run.ml.layout import lay_out, partition_count, persisted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST_KEPT = 6
"""So many ways of making features are kept for each fold; one that is asked for again later is made again."""


@dataclass(frozen=True, slots=True)
class FoldRows:
    """The rows of a fold as an estimator reads them."""

    training: Prepared
    validation: DataFrame


@dataclass(frozen=True, slots=True)
class FoldFit:
    """A fit on the rows of a fold, and what its validation rows measure."""

    fit: Fit
    unseen: DataFrame
    metrics: tuple[Metric, ...] = ()


@dataclass(slots=True)
class _Kept:
    """The rows of a fold with the features of some transforms, once they are made."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stack: ExitStack = field(default_factory=ExitStack)
    rows: FoldRows | None = None


class FoldFits:
    """Fits on the folds of one ML model, from any thread.

    Features are made once for each fold and way of making them, whatever is tried with the estimator on them; and what
    two ways learn alike is learnt once for each fold.

    Args:
        stack: frees what is kept.
        tuning: of what is tried on them; None: nothing is.
    """

    def __init__(self, folded: Folded, stack: ExitStack, tuning: Tuning | None = None) -> None:
        self._folded = folded
        self._stack = stack
        self._lock = threading.Lock()
        self._laid_out: dict[int, tuple[DataFrame, DataFrame]] = {}
        words = frozenset() if tuning is None else tuning.words
        self._learnt = {fold.number: Learnt(words) for fold in folded.folds}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.features_made = 0

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The folds, in order."""
        return self._folded.folds

    @property
    def learnt(self) -> int:
        """How often transforms have learnt something."""
        return sum(learnt.count for learnt in self._learnt.values())

    def fit(self, fold: Fold, task: Task, *, is_measured: bool) -> FoldFit:
        """Fit `task` on a fold's training rows."""
        rows = self._rows(fold, task)
        fit = fit_prepared(rows.training, task)
        return FoldFit(fit, rows.validation, measure_fold(fit, rows.validation) if is_measured else ())

    def fit_all(self, task: Task, *, is_measured: bool) -> tuple[FoldFit, ...]:
        """Fit `task` on each fold's training rows, in their order."""
        return tuple([self.fit(fold, task, is_measured=is_measured) for fold in self.folds])

    def _rows(self, fold: Fold, task: Task) -> FoldRows:
        kept = self._find(f"{fold.number} {task.transforms!r}")
        with kept.lock:
            if kept.rows is None:
                kept.rows = self._make(fold, task, kept.stack)
            return kept.rows

    def _find(self, key: str) -> _Kept:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _Kept()
                # At the end, too: it may be made while others take its place.
                self._stack.callback(self._kept[key].stack.close)
            kept = self._kept[key]
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT * len(self.folds):
                # Whoever still reads it computes it again.
                self._kept.popitem(last=False)[1].stack.close()
            return kept

    def _make(self, fold: Fold, task: Task, stack: ExitStack) -> FoldRows:
        """Make the features of a fold; transforms learn from its training rows alone."""
        laid_out, validation = self._lay_out(fold, task)
        learnt = self._learnt[fold.number]
        learnt.begin_way()
        training = prepare(laid_out, fold.training_rows, task, stack, learnt)
        unseen = persisted(stack, make_features(validation, task, training.stages))
        with self._lock:
            self.features_made += 1
        return FoldRows(training, unseen)

    def _lay_out(self, fold: Fold, task: Task) -> tuple[DataFrame, DataFrame]:
        keys = task.ml_model.keys
        with self._lock:
            if fold.number not in self._laid_out:
                training = lay_out(self._folded.training(fold), keys, partition_count(fold.training_rows))
                validation = lay_out(self._folded.validation(fold), keys, partition_count(fold.validation_rows))
                self._laid_out[fold.number] = persisted(self._stack, training), persisted(self._stack, validation)
            return self._laid_out[fold.number]
