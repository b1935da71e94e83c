"""What a search tries: an ML model that is tuned in, variants of it, and how many fits they take, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from sqlml.ir.project import MlModel
from sqlml.ir.splits import resolve_folds
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.tuning import DEFAULT_TRIALS, Dimension, Tuning

Choice = Mapping[str, Any]
"""Name of each dimension to the value that is tried."""

_MOST_PROBES = 500


def with_choice(ml_model: MlModel, tuning: Tuning, choice: Choice) -> MlModel:
    """Return the ML model with what was chosen, and nothing left to tune but what it is judged by."""
    params = dict(ml_model.params)
    entries = [*ml_model.transforms, *tuning.added]
    for dimension in tuning.dimensions:
        value = choice[dimension.name]
        if dimension.path[0] == "params":
            params[str(dimension.path[1])] = value
        else:
            position = int(dimension.path[1])
            place = ml_model.places.value_of(dimension.key)
            entries[position] = _with_word(replace(entries[position], location=place), dimension, value)
    transforms = tuple(entries) if tuning.has_transforms else ml_model.transforms
    return replace(ml_model, params=params, transforms=transforms, tuning=replace(tuning, dimensions=(), added=()))


def say_choice(chosen: Mapping[str, str]) -> str:
    """Return what was chosen, for a person: `regParam: 0.1, x.impute: mean`."""
    return ", ".join(f"{name}: {value}" for name, value in chosen.items())


def _with_word(entry: TransformSpec, dimension: Dimension, value: Any) -> TransformSpec:
    word = str(dimension.path[2])
    if word != "params":
        return replace(entry, **{word: value})
    return replace(entry, params={**entry.params, str(dimension.path[3]): value})


def grid(tuning: Tuning) -> Iterator[Choice]:
    """Yield all combinations; what is done to features changes last, so that features are made as seldom as can be."""
    dimensions = sorted(tuning.dimensions, key=lambda dimension: dimension.path[0] != "transforms")
    for values in product(*[dimension.ends for dimension in dimensions]):
        yield dict(zip([dimension.name for dimension in dimensions], values, strict=True))


def probes(tuning: Tuning) -> Iterator[Choice]:
    """Yield choices in which each value, or end of a range, occurs; of a grid that is not too large all."""
    if tuning.search == "grid" and math.prod(len(dimension.ends) for dimension in tuning.dimensions) <= _MOST_PROBES:
        yield from grid(tuning)
        return
    first = {dimension.name: dimension.ends[0] for dimension in tuning.dimensions}
    yield first
    for dimension in tuning.dimensions:
        for value in dimension.ends[1:]:
            yield {**first, dimension.name: value}


@dataclass(frozen=True, slots=True)
class PlannedFits:
    """How many fits an ML model takes.

    Attributes:
        trials: of a search; 1 without one.
        folds: 0: nothing is done on folds.
        last: on all training rows, and on all rows with `refit: all`.
        windows: of a backtest.
        is_most: whether a search may stop before.
        for_each: the column whose values are fitted each, so many times.
    """

    trials: int
    folds: int
    last: int
    windows: int = 0
    is_most: bool = False
    for_each: str | None = None

    @property
    def total(self) -> int:
        """All of them."""
        return self.trials * self.folds + self.windows + self.last

    def __str__(self) -> str:
        trials = f"{self.trials} trials x " if self.trials > 1 else ""
        terms = [f"{trials}{self.folds} folds"] if self.folds else []
        terms += [f"{self.windows} windows"] if self.windows else []
        most = "at most " if self.is_most else ""
        fits = f"{self.total} fit{'' if self.total == 1 else 's'}" if self.for_each else f"{self.total} fits"
        each = f" for each value of '{self.for_each}'" if self.for_each else ""
        return f"{most}{fits}{each}" + (f": {' + '.join([*terms, str(self.last)])}" if terms else "")


def count_trials(tuning: Tuning) -> int:
    """Return how many trials a search makes, unless it stops before."""
    combinations = math.inf
    if all(dimension.values for dimension in tuning.dimensions):
        combinations = math.prod(len(dimension.values) for dimension in tuning.dimensions)
    wanted = tuning.trials or (math.inf if tuning.search == "grid" else DEFAULT_TRIALS)
    return int(min(combinations, wanted))


def plan_fits(ml_model: MlModel) -> PlannedFits:
    """Return how many fits `ml_model` takes."""
    tuning, last = ml_model.tuning, 2 if ml_model.refit == "all" else 1
    each = None if ml_model.for_each is None else ml_model.for_each.column
    folds = resolve_folds(ml_model).n if ml_model.has_folds else 0
    windows = 0 if ml_model.backtest is None else ml_model.backtest.windows
    if tuning is None:
        return PlannedFits(1, folds, last, windows, for_each=each)
    may_stop = tuning.time_s is not None or tuning.patience is not None
    return PlannedFits(count_trials(tuning), folds, last, windows, may_stop, each)
