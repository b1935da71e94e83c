"""How far a feature has moved: two rows of the table `feature_statistics` in, one number and what is behind it out."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlml.ir.explanations import Row

LARGE = 0.25
NOTABLE = 0.1
"""From where on a population stability index is commonly taken for a shift worth a look, and for a large one."""

_LEAST_SHARE = 1e-4
_REST = ("rest", "")


@dataclass(frozen=True, slots=True)
class Drift:
    """A feature in the training rows of two versions.

    Attributes:
        psi: the population stability index, 0 or more: the sum of (now - was) ln(now / was) over tenths of what was
            (of a category: over its values), null having a share of its own; None: it has no distribution to compare.
        slice: with `for_each:` the value whose rows these are; empty: all.
        was, now: its rows of `feature_statistics`; None where it was no feature.
    """

    feature: str
    psi: float | None
    was: Row | None
    now: Row | None
    slice: str = ""

    @property
    def name(self) -> str:
        """The feature, and in which rows."""
        return f"{self.slice}: {self.feature}" if self.slice else self.feature


def find_drift(was: Sequence[Row], now: Sequence[Row], dataset: str = "training") -> tuple[Drift, ...]:
    """Return the drift of each feature of either version, the largest first."""
    before, after = (
        {(row["slice"], row["feature"]): row for row in rows if row["dataset"] == dataset} for rows in (was, now)
    )
    found = []
    for key in {**before, **after}:
        rows = before.get(key), after.get(key)
        found.append(Drift(key[1], _index(*rows), *rows, slice=key[0]))
    return tuple(sorted(found, key=lambda drift: (-(drift.psi if drift.psi is not None else -1.0), drift.name)))


def _index(was: Row | None, now: Row | None) -> float | None:
    if was is None or now is None:
        return None
    shares = _shares(was, now)
    if shares is None:
        return None
    total = 0.0
    for before, after in shares:
        low, high = max(before, _LEAST_SHARE), max(after, _LEAST_SHARE)
        total += (high - low) * math.log(high / low)
    return total


def _shares(was: Row, now: Row) -> list[tuple[float, float]] | None:
    nulls = (float(was["null_share"]), float(now["null_share"]))
    parts: list[tuple[float, float]]
    if was.get("quantiles") and now.get("quantiles"):
        parts = _ranges(was, now)
    elif was.get("top") and now.get("top"):
        before, after = (_values(row["top"]) for row in (was, now))
        parts = [(before.get(key, 0.0), after.get(key, 0.0)) for key in {**before, **after}]
    elif max(nulls) == 0:
        return None
    else:
        parts = [(1.0, 1.0)]
    return [nulls, *[(before * (1 - nulls[0]), after * (1 - nulls[1])) for before, after in parts]]


def _values(top: Sequence[Mapping[str, object]]) -> dict[object, float]:
    shares: dict[object, float] = {entry["value"]: float(str(entry["share"])) for entry in top}
    shares[_REST] = max(1.0 - sum(shares.values()), 0.0)
    return shares


def _ranges(was: Row, now: Row) -> list[tuple[float, float]]:
    if was["type"] == "boolean":
        return [(float(was["mean"]), float(now["mean"])), (1 - float(was["mean"]), 1 - float(now["mean"]))]
    edges = sorted(set(was["quantiles"][2:-1:2]))
    before, after = ([0.0, *[_share_up_to(edge, row["quantiles"]) for edge in edges], 1.0] for row in (was, now))
    return [(high - low, new_high - new_low)
            for (low, high), (new_low, new_high) in zip(pairwise(before), pairwise(after), strict=True)]  # fmt: skip


def _share_up_to(value: float, quantiles: Sequence[float]) -> float:
    """Return what share of the rows is `value` or less, between two quantiles as on a line."""
    steps = len(quantiles) - 1
    at = bisect_right(quantiles, value)
    if at in (0, len(quantiles)):
        return 0.0 if at == 0 else 1.0
    low, high = quantiles[at - 1], quantiles[at]
    return (at - 1 + (value - low) / (high - low)) / steps
