"""Runs a search: trials on folds at once in; every trial with its metrics, and the fits of the best, out."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from sqlml.errors import DataError, EngineStopped, SqlmlError
from sqlml.ir.kept_trials import KeptTrial, TrialLog
from sqlml.ir.metrics import METRICS, headline, kind_of, known_metrics, measured_name
from sqlml.ir.project import MlModel
from sqlml.ir.state import Metric
from sqlml.ir.trials import Choice, count_trials, with_choice
from sqlml.ir.tuning import Tuning
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.ml.checks import TRAINING
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.fold_fits import FoldFit, FoldFits
from sqlml.run.ml.tuning.searches import Search, make_search

TaskOf = Callable[[MlModel], Task]
"""Gives what is fitted of a variant of the ML model."""

Stopped = Literal["all was tried", "trials", "time", "patience"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One try.

    Attributes:
        number: from 1.
        metric: what it is judged by, under the name by which it is kept; empty if it failed.
        values: that metric on each fold.
        duration_s: wall seconds.
        error: why it failed; empty: it did not.
        is_kept: whether it was fitted by a build that was interrupted.
        folds: what each fold measured, of the best alone.
        fits: of each fold, of the best alone and if this build fitted it.
    """

    number: int
    choice: Choice
    metric: str = ""
    values: tuple[float, ...] = ()
    duration_s: float = 0.0
    error: str = ""
    is_kept: bool = False
    folds: tuple[tuple[Metric, ...], ...] = ()
    fits: tuple[FoldFit, ...] = ()

    @property
    def value(self) -> float | None:
        """The mean over the folds; None: it failed."""
        return statistics.fmean(self.values) if self.values else None


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found.

    Attributes:
        trials: in the order of their numbers.
        best: the first of those with the best mean, with what its folds measured.
        task: of the best.
    """

    trials: tuple[Trial, ...]
    best: Trial
    task: Task
    stopped: Stopped


def run_trials(task: Task, tuning: Tuning, fits: FoldFits, task_of: TaskOf, log: TrialLog | None = None) -> Searched:
    """Try what the search of an ML model chooses, each on every fold.

    What is tried, and which is best, does not depend on how many trials run at once: they are judged in their order,
    and those that were on the way when patience ended are dropped. Nor does it depend on interruptions: the search asks
    for the same again, and what is known of it is not fitted.

    Args:
        log: what is known of this search, and where its trials are kept.

    Raises:
        DataError: the metric does not fit the classes; every trial failed.
    """
    _check_metric(task, tuning)
    return _Run(task, tuning, fits, task_of, log or TrialLog()).go()


class _Run:
    def __init__(self, task: Task, tuning: Tuning, fits: FoldFits, task_of: TaskOf, log: TrialLog) -> None:
        self._task = task
        self._tuning = tuning
        self._fits = fits
        self._task_of = task_of
        self._keep = log.keep
        self._known = {trial.number: trial for trial in log.known}
        # As if the search had begun so long ago.
        self._started = time.monotonic() - max((trial.spent_s for trial in log.known), default=0.0)
        self._done: list[Trial] = []
        self._best: Trial | None = None
        # The first that is measured is taken if none is named, and all that may be the first are good in one way.
        metric = tuning.metric or known_metrics(task.entry)[0]
        self._is_higher_better = METRICS[metric].is_higher_better

    def go(self) -> Searched:
        search = make_search(self._tuning, self._is_higher_better)
        with ThreadPoolExecutor(self._tuning.parallelism, "trial") as pool:
            try:
                stopped = self._search(search, pool)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        best = self._best
        if best is None:
            raise self._all_failed()
        return Searched(tuple(self._done), best, self._task_of_choice(best.choice), stopped)

    def _search(self, search: Search, pool: ThreadPoolExecutor) -> Stopped:
        most = count_trials(self._tuning)
        most_on_the_way = search.most_on_the_way or self._tuning.parallelism
        waiting: deque[Future[Trial]] = deque()
        number = 0
        stopped: Stopped = "all was tried"
        while True:
            if len(waiting) >= most_on_the_way and self._judge(waiting.popleft(), search):
                return self._drop(waiting)
            if number and self._is_late(number + 1):
                stopped = "time"
                break
            choice = search.ask() if number < most else None
            if choice is None:
                stopped = "trials" if number == self._tuning.trials else "all was tried"
                break
            number += 1
            waiting.append(self._begin(number, choice, pool))
        while waiting:
            if self._judge(waiting.popleft(), search):
                return self._drop(waiting)
        return stopped

    def _is_late(self, number: int) -> bool:
        """Tell whether there is no time for another trial; what is known takes none."""
        time_s = self._tuning.time_s
        return time_s is not None and number > max(self._known, default=0) and self._spent() >= time_s

    def _spent(self) -> float:
        return time.monotonic() - self._started

    def _begin(self, number: int, choice: Choice, pool: ThreadPoolExecutor) -> Future[Trial]:
        known = self._known.get(number)
        if known is not None and known.choice != repr(choice):
            # Another library asks for something else, and so does all that follows.
            self._known.clear()
        if number not in self._known:
            return pool.submit(self._try, number, choice)
        future: Future[Trial] = Future()
        future.set_result(self._taken_over(choice, self._known[number]))
        return future

    def _taken_over(self, choice: Choice, known: KeptTrial) -> Trial:
        found = [self._measured(metrics, at) for at, metrics in enumerate(known.folds, 1)]
        values = tuple(metric.value for metric in found)
        return Trial(known.number, choice, found[0].metric, values, known.duration_s, is_kept=True, folds=known.folds)

    def _drop(self, waiting: Sequence[Future[Trial]]) -> Stopped:
        for future in waiting:
            future.cancel()
        return "patience"

    def _judge(self, future: Future[Trial], search: Search) -> bool:
        """Wait for the next trial in order and keep it; return whether patience is at an end."""
        trial = future.result()
        search.tell(trial.choice, trial.value)
        if trial.value is not None and self._is_better(trial):
            self._best = trial
        self._done.append(replace(trial, folds=(), fits=()))
        patience = self._tuning.patience
        since = trial.number - (self._best.number if self._best is not None else 0)
        return patience is not None and since >= patience

    def _is_better(self, trial: Trial) -> bool:
        if self._best is None or self._best.value is None or trial.value is None:
            return True
        return trial.value > self._best.value if self._is_higher_better else trial.value < self._best.value

    def _task_of_choice(self, choice: Choice) -> Task:
        return self._task_of(with_choice(self._task.ml_model, self._tuning, choice))

    def _try(self, number: int, choice: Choice) -> Trial:
        started = time.monotonic()
        name = self._task.ml_model.name
        try:
            with spark_failures(Doing(f"trial {number} of ml model '{name}' failed")):
                task = self._task_of_choice(choice)
                fits = tuple(self._fits.fit(fold, task, is_measured=True) for fold in self._fits.folds)
            found = [self._measured(fit.metrics, at) for at, fit in enumerate(fits, 1)]
        except EngineStopped:
            # No other trial can do better.
            raise
        except SqlmlError as error:
            return Trial(number, choice, duration_s=time.monotonic() - started, error=str(error))
        values, folds = tuple(metric.value for metric in found), tuple(fit.metrics for fit in fits)
        duration_s = time.monotonic() - started
        self._keep(KeptTrial(number, repr(choice), folds, duration_s, self._spent()))
        return Trial(number, choice, found[0].metric, values, duration_s, folds=folds, fits=fits)

    def _measured(self, metrics: Sequence[Metric], fold: int) -> Metric:
        wanted = self._tuning.metric
        name = "no metric" if wanted is None else measured_name(wanted, self._tuning.top, self._tuning.k)
        if wanted is None:
            found = headline(metrics, TRAINING)
        else:
            found = next((entry for entry in metrics if entry.metric == name), None)
        if found is None:
            raise DataError(f"'{name}' was not measured on fold {fold}")
        return found

    def _all_failed(self) -> SqlmlError:
        ml_model = self._task.ml_model
        what = f"each of the {len(self._done)} trials of ml model '{ml_model.name}' failed; the first: "
        return DataError(f"{what}{self._done[0].error}", ml_model.places.value_of("tune"), "try other values")


def _check_metric(task: Task, tuning: Tuning) -> None:
    kind = kind_of(tuning.metric) if tuning.metric is not None else None
    if kind is None or not kind.is_binary_only or len(task.classes) in (0, 2):
        return
    ml_model = task.ml_model
    what = f"ml model '{ml_model.name}' is tuned by '{kind.name}', which needs two classes; its label has"
    raise DataError(f"{what} {len(task.classes)}", ml_model.places.value_of("tune.metric"), "take f1 or logLoss")
