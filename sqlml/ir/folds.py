"""Folds and backtests, as declared: how rows are dealt out to be fitted on and validated on in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FoldKind = Literal["hash", "time", "group"]

DEFAULT_FOLDS = 3

DEFAULT_WINDOWS = 6


@dataclass(frozen=True, slots=True)
class Folds:
    """Folds of the training rows; the rows held out are in none.

    Attributes:
        by: `hash`: a row's fold follows from its hash; `group`: all rows of a group are in one; `time`: fold i is
            validated on the i-th stretch of time and fitted on all before it. None takes the default of the split.
        columns: what is hashed, the column of time, or the columns of a group; empty: the default.
        n: how many there are.
        gap_s: by time: seconds before a fold whose rows are not fitted on; None: the split's.
        seed: of the hash; None: the split's.
        within: rows are dealt out among those of each value of this column, as the split does.
    """

    by: FoldKind | None = None
    columns: tuple[str, ...] = ()
    n: int = DEFAULT_FOLDS
    gap_s: int | None = None
    seed: int | None = None
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """A rolling origin: each window of time is measured by a fit on all that lies before it.

    Attributes:
        every, unit: how long a window is, such as 1 `MONTH`; the last ends with the latest row.
        windows: how many there are.
        gap_s: seconds before a window whose rows are not fitted on; None: the split's.
    """

    every: int
    unit: str
    windows: int
    gap_s: int | None = None
