"""What an ML model is measured by, as declared: gates, slices, and how a threshold is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlml.ir.location import SourceLocation


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition on a metric: `metric >= at_least`, `metric <= at_most`, or how it does against another model.

    Attributes:
        better_than: `baseline`; None: it is not compared.
        by: how much better it must be at least, in the metric's own unit.
        not_worse_than: the alias of the version that it is compared with; None: with none.
        tolerance: how much worse than that it may be.
        dataset: `training` or `holdout`; None: the hold-out, or the training rows where nothing is held out.
        slice: as metrics have it; empty: all rows.
        top: the share of rows that a metric of the top is about; None: the default.
        is_sure: whether the whole 95 % interval must meet the limits.
        k: of a metric of a ranking: how many of its first places count; None: the default.
    """

    metric: str
    location: SourceLocation
    at_least: float | None = None
    at_most: float | None = None
    better_than: Literal["baseline"] | None = None
    by: float = 0.0
    dataset: Literal["training", "holdout"] | None = None
    slice: str = ""
    top: float | None = None
    is_sure: bool = False
    k: int | None = None
    not_worse_than: str | None = None
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Parts of the rows that are measured on their own: one for each value of a column, or those of a condition.

    Attributes:
        name: of the column, or of the condition.
        where: the SQL condition; None: it is a column.
    """

    name: str
    location: SourceLocation
    where: str | None = None


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """How a threshold is learnt: by the greatest value of a metric, or by the least cost of what is wrong.

    Attributes:
        maximize: name of the metric; None: costs decide.
        false_positive, false_negative: cost of one such row.
    """

    maximize: str | None = None
    false_positive: float = 1.0
    false_negative: float = 1.0
