"""Searches on a formula instead of fits: what is tried, in which order trials count, and when a search ends; no JVM."""

from __future__ import annotations

import math
import statistics
import threading
import time
from dataclasses import replace

import pytest
from pyspark.errors import PySparkException

from sqlml.errors import DataError, EngineStopped, StepError
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.kept_trials import TrialLog, name_search
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.measuring import Gate
from sqlml.ir.project import MlModel
from sqlml.ir.state import Fingerprint, Metric
from sqlml.ir.tuning import Dimension, Tuning
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.fold_counts import Fold
from sqlml.run.ml.fold_fits import FoldFit
from sqlml.run.ml.tuning.records import trial_facts, trial_rows
from sqlml.run.ml.tuning.searches import make_search
from sqlml.run.ml.tuning.trials import run_trials


def listed(name, *values):
    return Dimension(name, f"tune.params.{name}", ("params", name), values)


def between(name, low, high, **given):
    return Dimension(name, f"tune.params.{name}", ("params", name), (), low, high, **given)


ML_MODEL = MlModel("m", "m.yml", Places(SourceLocation("m.yml", 1)), "", "LinearRegression")
TASK = Task(ML_MODEL, ESTIMATORS["LinearRegression"], (), "double")
X = listed("x", 3, 1, 2, 5, 4)


class Formula:
    """Stands for fits on folds: a fit is worth a formula of its params, and takes longer the earlier it begins."""

    folds = (Fold(1, "", ""), Fold(2, "", ""))

    def __init__(self, formula):
        self.formula = formula
        self.running = self.most = self.calls = 0
        self.lock = threading.Lock()

    def fit(self, fold, task, *, is_measured):
        with self.lock:
            self.calls += 1
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.01 / self.calls)
        with self.lock:
            self.running -= 1
        value = self.formula(**task.ml_model.params) + fold.number
        return FoldFit(None, None, (Metric("training", "rmse", value), Metric("training", "mae", -value)))


def search(formula, *dimensions, log=None, **given):
    fits = Formula(formula)
    tuning = Tuning(dimensions, **given)
    return run_trials(TASK, tuning, fits, lambda variant: replace(TASK, ml_model=variant), log), fits


class Log:
    """Keeps trials until the engine is gone, which is when there are `most`."""

    def __init__(self, most=math.inf):
        self.most = most
        self.trials = []
        self.lock = threading.Lock()

    def keep(self, trial):
        with self.lock:
            if len(self.trials) >= self.most:
                raise EngineStopped("gone")
            self.trials.append(trial)

    def open(self):
        return TrialLog(tuple(sorted(self.trials, key=lambda trial: trial.number)), self.keep)


def told(searched):
    """Return what a search found, without how long it took."""
    trials = [replace(trial, duration_s=0, is_kept=False) for trial in searched.trials]
    return trials, replace(searched.best, duration_s=0, is_kept=False, fits=()), searched.task, searched.stopped


def test_a_grid_tries_everything_once():
    searched, fits = search(lambda x, y: abs(x - 2) + y, X, listed("y", 0, 1), parallelism=3)
    assert len({repr(trial.choice) for trial in searched.trials}) == 10
    assert [trial.number for trial in searched.trials] == list(range(1, 11))
    assert searched.best.choice == {"x": 2, "y": 0}
    assert searched.task.ml_model.params == {"x": 2, "y": 0}
    assert (searched.best.values, searched.best.metric, searched.stopped) == ((1, 2), "rmse", "all was tried")
    assert len(searched.best.fits) == 2
    assert 1 < fits.most <= 3
    assert fits.calls == 20
    # Of equals the first counts.
    assert search(lambda x: 0, X)[0].best.number == 1


def test_patience_does_not_depend_on_how_many_run_at_once():
    found = [search(lambda x: x, X, patience=2, parallelism=parallelism)[0] for parallelism in (1, 4)]
    for searched in found:
        # 3, then 1 is better, then 2 and 5 are not.
        assert [trial.choice["x"] for trial in searched.trials] == [3, 1, 2, 5]
        assert (searched.best.number, searched.stopped) == (2, "patience")
    assert search(lambda x: x, X, trials=2)[0].stopped == "trials"


@pytest.mark.parametrize(
    ("given", "name", "best"),
    [({}, "liftAtTop10", 3), ({"top": 0.02}, "liftAtTop2", 1)],
)
def test_a_share_of_the_rows_decides(given, name, best):
    class Top(Formula):
        def fit(self, fold, task, *, is_measured):
            x = task.ml_model.params["x"]
            return FoldFit(None, None, (Metric("training", "liftAtTop10", x), Metric("training", "liftAtTop2", -x)))

    tuning = Tuning((listed("x", 1, 2, 3),), metric="liftAtTop", **given)
    searched = run_trials(TASK, tuning, Top(None), lambda variant: replace(TASK, ml_model=variant))
    assert (searched.best.metric, searched.best.choice) == (name, {"x": best})


def test_time_lets_no_trial_begin_late():
    def slow(x):
        time.sleep(0.6)
        return x

    searched, _ = search(slow, X, time_s=1, parallelism=1)
    assert searched.stopped == "time"
    assert 1 <= len(searched.trials) < 5


def test_a_failed_trial_is_kept():
    def picky(x):
        if x > 2:
            raise DataError(f"{x} is too much")
        return x

    searched, _ = search(picky, X)
    rows = trial_rows(searched)
    assert [(row["state"], row["error"], row["is_best"]) for row in rows[:2]] == [
        ("failed", "3 is too much", False),
        ("complete", None, True),
    ]
    assert rows[1] | {"seconds": 0} == {
        "trial": 2, "state": "complete", "is_best": True, "is_kept": False, "params": {"x": "1"}, "metric": "rmse",
        "value": 2.5, "deviation": math.sqrt(0.5), "folds": [2, 3], "seconds": 0, "error": None,
    }  # fmt: skip
    facts = trial_facts(searched, Tuning((X,)))
    assert (facts["trials"], facts["failed"], facts["best"]) == (5, 3, 2)
    with pytest.raises(DataError, match="each of the 2 trials of ml model 'm' failed; the first: 3 is too much"):
        search(picky, listed("x", 3, 4))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PySparkException("Job 3 cancelled as part of cancelled job group 7"), "Job 3 cancelled as part of"),
        (ConnectionError(), "Spark's Java process has stopped"),
    ],
)
def test_an_interrupted_run_tries_nothing_more(error, said):
    def gone(x):
        raise error

    with pytest.raises(StepError, match=f"trial 1 of ml model 'm' failed: {said}"):
        search(gone, X)


RANGE = between("x", 0.0, 100.0)


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize(
    "given",
    [
        {"dimensions": (X, listed("y", "a", ("b", 1)))},
        {"dimensions": (RANGE,), "search": "random", "trials": 9, "seed": 3},
        {"dimensions": (RANGE, listed("y", "a", "b")), "search": "bayes", "trials": 14},
        {"dimensions": (RANGE,), "search": "random", "trials": 40, "patience": 7},
    ],
    ids=["grid", "random", "bayes", "patience"],
)
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(given, parallelism):
    def formula(x, y="a"):
        if 20 < x < 25:
            raise DataError("is tried again, whatever the cause was")
        return (x - 40) ** 2 + (y != "a")

    given = dict(given, parallelism=parallelism)
    dimensions = given.pop("dimensions")
    whole, fits = search(formula, *dimensions, **given)
    log = Log(most=4)
    with pytest.raises(EngineStopped, match="gone"):
        search(formula, *dimensions, log=log.open(), **given)
    log.most = math.inf
    known = {trial.number for trial in log.trials}
    assert len(known) == 4
    again, rest = search(formula, *dimensions, log=log.open(), **given)
    assert told(again) == told(whole)
    assert {trial.number for trial in again.trials if trial.is_kept} == known
    assert trial_facts(again, Tuning(dimensions))["kept"] == 4
    assert [row["is_kept"] for row in trial_rows(again)] == [trial.number in known for trial in again.trials]
    # All is known now, and of the best nothing but what it measured.
    once_more, none = search(formula, *dimensions, log=log.open(), **given)
    assert (told(once_more), once_more.best.fits) == (told(whole), ())
    if "patience" not in given:  # else some were on the way in vain
        assert rest.calls == fits.calls - 4 * len(Formula.folds)
        assert none.calls == sum(1 for trial in whole.trials if trial.error)


def test_time_counts_what_was_spent_before():
    log = Log()
    search(lambda x: x, X, trials=3, log=log.open())
    spent = [replace(trial, spent_s=60.0 * trial.number) for trial in log.trials]
    searched, fits = search(lambda x: x, X, time_s=180, log=TrialLog(tuple(spent)))
    assert (len(searched.trials), searched.stopped, fits.calls) == (3, "time", 0)
    searched, _ = search(lambda x: x, X, time_s=200, log=TrialLog(tuple(spent)))
    assert (len(searched.trials), searched.stopped) == (5, "all was tried")


def test_trials_of_what_is_not_asked_for_any_more_are_fitted():
    log = Log()
    search(lambda x: x, RANGE, search="random", trials=4, seed=1, log=log.open())
    searched, fits = search(lambda x: x, RANGE, search="random", trials=4, seed=2, log=log.open())
    assert (fits.calls, [trial.is_kept for trial in searched.trials]) == (8, [False] * 4)


SPACE = (
    between("x", 0.01, 100, is_log=True),
    between("depth", 2, 9, is_whole=True),
    listed("kind", "a", ("b", "c"), None),
)


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_choices_are_of_the_space_and_repeat(kind):
    def ask(seed):
        made = make_search(Tuning(SPACE, kind, trials=30, seed=seed), is_higher_better=False)
        choices = []
        for _ in range(30):
            choices.append(made.ask())
            made.tell(choices[-1], abs(math.log(choices[-1]["x"])))
        return choices

    choices = ask(7)
    assert choices == ask(7) != ask(8)
    assert len({repr(choice) for choice in choices}) == 30
    assert {choice["kind"] for choice in choices} == {"a", ("b", "c"), None}
    assert all(0.01 <= choice["x"] <= 100 and 2 <= choice["depth"] <= 9 for choice in choices)
    assert all(isinstance(choice["depth"], int) for choice in choices)
    # By the logarithm: as many below 1 as above.
    assert 5 < sum(choice["x"] < 1 for choice in choices) < 25


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_a_small_space_comes_to_an_end(kind):
    searched, fits = search(lambda x: x, X, search=kind, trials=50)
    assert sorted(trial.choice["x"] for trial in searched.trials) == [1, 2, 3, 4, 5]
    assert (fits.calls, searched.stopped) == (10, "all was tried")


def test_what_was_found_leads_a_bayesian_search():
    def ask(parallelism):
        return search(
            lambda x: (x - 70) ** 2, between("x", 0.0, 100.0), search="bayes", trials=40, parallelism=parallelism
        )[0]

    searched = ask(4)
    assert [trial.choice for trial in searched.trials] == [trial.choice for trial in ask(1).trials]
    late = [abs(trial.choice["x"] - 70) for trial in searched.trials[-20:]]
    early = [abs(trial.choice["x"] - 70) for trial in searched.trials[:10]]
    assert statistics.median(late) < statistics.median(early) / 2


def test_a_search_is_another_if_its_trials_would_measure_something_else():
    fingerprint, place = Fingerprint("a", "b"), SourceLocation("m.yml", 1)

    def named(digest="a", champions=None, **gate):
        gates = (Gate(location=place, at_least=0.5, **gate),) if gate else ()
        return name_search(replace(ML_MODEL, gates=gates), replace(fingerprint, digest=digest), champions or {})

    searches = [
        named(),
        named("c"),
        named(champions={"other": 1}),
        named(champions={"other": 2}),
        named(metric="liftAtTop", top=0.02),
        named(metric="ndcgAtK", k=3),
    ]
    assert len(set(searches)) == len(searches)
    # What is measured anyway, or in whatever order, makes no difference.
    assert named(metric="liftAtTop") == named(metric="rmse") == named()
    assert named(champions={"x": 1, "y": 2}) == named(champions={"y": 2, "x": 1})
