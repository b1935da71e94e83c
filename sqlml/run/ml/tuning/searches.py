"""What to try next: a space and what was found so far in, one choice after another out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from sqlml.ir.trials import Choice, grid
from sqlml.ir.tuning import DEFAULT_PARALLELISM, DEFAULT_TRIALS, Dimension, Tuning

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

_ATTEMPTS = 100
"""So many choices in a row that were tried before mean that there are no more."""


class Search(Protocol):
    """Chooses what is tried.

    Attributes:
        most_on_the_way: how many choices may wait for their value; None: any number.
    """

    most_on_the_way: int | None

    def ask(self) -> Choice | None:
        """Return what to try next, never the same again; None: there is nothing more."""

    def tell(self, choice: Choice, value: float | None) -> None:
        """Say what a choice was worth, in the order in which they were asked for; None: it failed."""


def make_search(tuning: Tuning, is_higher_better: bool) -> Search:
    """Return the search of `tuning`."""
    return _MAKERS[tuning.search](tuning, is_higher_better)


class _Listed:
    """Tries what an iterator gives."""

    most_on_the_way: int | None = None

    def __init__(self, choices: Iterator[Choice]) -> None:
        self._choices = choices

    def ask(self) -> Choice | None:
        return next(self._choices, None)

    def tell(self, choice: Choice, value: float | None) -> None:
        pass


def _draw_all(tuning: Tuning) -> Iterator[Choice]:
    """Yield random choices, no one twice: of values each as likely as the other, of a range any number."""
    draw, seen = np.random.default_rng(tuning.seed), set()
    misses = 0
    while misses < _ATTEMPTS:
        choice = {dimension.name: _draw(dimension, draw) for dimension in tuning.dimensions}
        key = repr(choice)
        misses = misses + 1 if key in seen else 0
        if not misses:
            seen.add(key)
            yield choice


def _draw(dimension: Dimension, draw: np.random.Generator) -> Any:
    if dimension.values:
        return dimension.values[int(draw.integers(len(dimension.values)))]
    low, high = dimension.low, dimension.high
    if dimension.is_log:
        found = math.exp(draw.uniform(math.log(low), math.log(high + (1 if dimension.is_whole else 0))))
        return min(int(found), int(high)) if dimension.is_whole else min(max(found, low), high)
    return int(draw.integers(int(low), int(high) + 1)) if dimension.is_whole else float(draw.uniform(low, high))


class _Bayes:
    """Tries what Optuna's tree-structured Parzen estimator finds most promising."""

    # Fixed: with more told, or less, it would ask for something else.
    most_on_the_way: int | None = DEFAULT_PARALLELISM

    def __init__(self, tuning: Tuning, is_higher_better: bool) -> None:
        import optuna

        trials = tuning.trials or DEFAULT_TRIALS
        # Optuna's default, less for a small budget, of which it would be half.
        sampler = optuna.samplers.TPESampler(seed=tuning.seed, n_startup_trials=min(10, max(3, trials // 3)))
        # Each trial is recorded with the version: what Optuna says of it would be said twice.
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        direction: Literal["maximize", "minimize"] = "maximize" if is_higher_better else "minimize"
        self._study = optuna.create_study(direction=direction, sampler=sampler)
        self._failed = optuna.trial.TrialState.FAIL
        self._dimensions = tuning.dimensions
        self._asked: dict[str, OptunaTrial] = {}
        self._known: dict[str, float | None] = {}

    def ask(self) -> Choice | None:
        for _ in range(_ATTEMPTS):
            trial = self._study.ask()
            choice = {dimension.name: _suggest(dimension, trial) for dimension in self._dimensions}
            key = repr(choice)
            if key not in self._asked:
                self._asked[key] = trial
                return choice
            # It is worth what it was worth.
            self._tell(trial, self._known.get(key))
        return None

    def tell(self, choice: Choice, value: float | None) -> None:
        key = repr(choice)
        self._known[key] = value
        self._tell(self._asked[key], value)

    def _tell(self, trial: OptunaTrial, value: float | None) -> None:
        if value is None:
            self._study.tell(trial, state=self._failed)
        else:
            self._study.tell(trial, value)


def _suggest(dimension: Dimension, trial: OptunaTrial) -> Any:
    name, low, high = dimension.name, dimension.low, dimension.high
    if dimension.values:
        # By position: a value may be a list.
        return dimension.values[trial.suggest_categorical(name, list(range(len(dimension.values))))]
    if dimension.is_whole:
        return trial.suggest_int(name, int(low), int(high), log=dimension.is_log)
    return trial.suggest_float(name, low, high, log=dimension.is_log)


_MAKERS: Mapping[str, Callable[[Tuning, bool], Search]] = {
    "grid": lambda tuning, _: _Listed(grid(tuning)),
    "random": lambda tuning, _: _Listed(_draw_all(tuning)),
    "bayes": _Bayes,
}
"""Kind of search to what makes it."""
