"""Folds, as declared: how the training rows are dealt out to be fitted on and validated on in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FoldKind = Literal["hash", "time", "group"]

DEFAULT_FOLDS = 3


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
