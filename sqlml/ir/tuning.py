"""A search for params, as declared: what is tried, how long, and what it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlml.ir.transform_spec import TransformSpec

Search = Literal["grid", "random", "bayes"]

DEFAULT_TRIALS = 20
"""How many trials a search makes that does not try everything."""

DEFAULT_PARALLELISM = 4
"""Trials at once; also the most that a Bayesian search has on the way, so that what it tries does not depend on it."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that is tuned.

    Attributes:
        name: as trials show it: `maxDepth`, `wind_speed.impute`.
        key: its path in the entry of the ML model, for places.
        path: where its value goes: (`params`, a name), (`transforms`, a position, a word) or (`transforms`, a position,
            `params`, a name).
        values: what is tried; empty: numbers from `low` to `high`.
        is_log: whether as many numbers are tried between 1 and 10 as between 10 and 100.
        is_whole: whether whole numbers alone are tried.
    """

    name: str
    key: str
    path: tuple[str | int, ...]
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False
    is_whole: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values, or the least and the greatest."""
        if self.values:
            return self.values
        return (int(self.low), int(self.high)) if self.is_whole else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Tuning:
    """A search for params on folds.

    Attributes:
        metric: name in the registry; None: the first that the estimator gives.
        top, k: what the metric is about, if it takes one: the share of rows, the places of a ranking; None: the usual.
        added: entries of transforms that are there only to be tuned, behind those of the ML model.
        trials: the most that are made; None: all of a grid, else `DEFAULT_TRIALS`.
        time_s: no trial begins later than this many seconds after the first; None: there is time.
        patience: the search stops after so many trials without a better one; None: it does not.
        parallelism: trials at once; it changes nothing but the time.
    """

    dimensions: tuple[Dimension, ...]
    search: Search = "grid"
    metric: str | None = None
    added: tuple[TransformSpec, ...] = ()
    trials: int | None = None
    time_s: int | None = None
    patience: int | None = None
    seed: int = 42
    parallelism: int = DEFAULT_PARALLELISM
    top: float | None = None
    k: int | None = None

    @property
    def words(self) -> frozenset[tuple[int, str]]:
        """The positions in `transforms:` with the word that is tuned there, or `params`."""
        paths = [dimension.path for dimension in self.dimensions]
        return frozenset((int(path[1]), str(path[2])) for path in paths if path[0] == "transforms")

    @property
    def has_transforms(self) -> bool:
        """Whether words or params of transforms are tuned."""
        return any(dimension.path[0] == "transforms" for dimension in self.dimensions)
