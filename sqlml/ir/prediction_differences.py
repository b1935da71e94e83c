"""How the predictions of two versions differ on the same rows, as counts and distributions."""

from __future__ import annotations

from dataclasses import dataclass, field

SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Where the quantiles of differences are: 0 is the least, 1 the greatest."""


@dataclass(frozen=True, slots=True)
class PartDifference:
    """Of all rows, or of one slice.

    Attributes:
        slice: empty for all rows.
        changed: rows whose class (cluster, ranking …) is another; None where predictions are numbers.
        missing: rows that one of the versions has no prediction for.
        mean, mean_absolute: of the difference (now - was); None where there are no numbers to subtract.
    """

    slice: str
    rows: int
    changed: int | None = None
    missing: int = 0
    mean: float | None = None
    mean_absolute: float | None = None

    @property
    def size(self) -> float:
        """How large the difference is, to compare slices by: the share of changed rows, else the mean size."""
        return self.mean_absolute or 0.0 if self.changed is None else self.changed / max(self.rows, 1)


@dataclass(frozen=True, slots=True)
class PredictionDifference:
    """Two versions on the rows of a relation.

    Attributes:
        on: the relation.
        measured: the column whose difference is described: `probability`, `predicted_delay` …; empty: there is none.
        whole: of all rows.
        slices: those of the ML model's `slices:` and, of a category of few values, of its features; the largest first.
        quantiles: of the difference (now - was), at `SHARES`.
        moves: how many rows went from a class to another, the most first.
    """

    on: str
    measured: str
    whole: PartDifference
    slices: tuple[PartDifference, ...] = ()
    quantiles: tuple[float, ...] = ()
    moves: tuple[tuple[str, str, int], ...] = field(default_factory=tuple)
