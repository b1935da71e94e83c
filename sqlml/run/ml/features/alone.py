"""Finds how well each feature tells the label by itself: groups of the scan before a fit in, rows of a table out.

The scan sums features up by side and class, so that no row is read again for this. Which way a number tells, and which
values of a category speak for which class, is learnt from the training rows; the hold-out says how true it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.ir.chains import FeatureTransform
from sqlml.ir.explanations import Row
from sqlml.ir.words import NUMERIC, Kind
from sqlml.run.ml.features.profile import finite_sql
from sqlml.run.ml.features.statistics import TOP_VALUES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column

    Numbers = NDArray[np.float64]

FEWEST_OF_CLASS = 10
"""So many rows of a class there must be on either side: fewer are told apart by chance."""
FEWEST_NUMBERS = 30
FEWEST_OF_GROUP = 10
"""A line through fewer rows of a value of `for_each:` fits by chance, or fails to; larger values tell."""
MOST_CLASSES = 20
"""Of more classes those with the most held-out rows are compared: their pairs grow with the square."""

_SIDES = ("training", "holdout")
_NULLS = (-np.inf, np.inf)
_Groups = Sequence[Mapping[str, Any]]
_Spread = tuple["Numbers", "Numbers"]
"""Values in rising order, and the share of the rows that has each."""


def correlation_measures(transforms: Sequence[FeatureTransform], label: str, known: str) -> list[Column]:
    """Return the aggregates that `alone_with_number` reads, by their aliases.

    Args:
        label: SQL of the label as a double.
        known: condition of the rows whose label is an answer.
    """
    from pyspark.sql import functions as sf

    measures = []
    for index, transform in enumerate(transforms):
        if transform.kind in NUMERIC:
            pair = f"IF({known}, {finite_sql(transform)}, NULL)"
            measures.append(sf.expr(f"corr({pair}, {label})").alias(f"corr_{index}"))
            measures.append(sf.expr(f"count({pair})").alias(f"pairs_{index}"))
    return measures


def alone_with_number(sides: Mapping[str, _Groups], transforms: Sequence[FeatureTransform]) -> list[Row]:
    """Return the R2 of a line through each number; of several groups the least, those of few rows left out.

    A number that most rows lack is left out: what it tells, it tells of few.
    """
    found: list[Row] = []
    for index, transform in enumerate(transforms):
        if transform.kind not in NUMERIC:
            continue
        for side in _SIDES:
            groups = [group for group in sides[side] if group["n"] >= FEWEST_OF_GROUP]
            is_known = all(
                group[f"pairs_{index}"] >= group["n"] / 2 and group[f"corr_{index}"] is not None for group in groups
            )
            pairs = sum(group[f"pairs_{index}"] for group in groups)
            if is_known and pairs >= max(FEWEST_NUMBERS, _rows(sides[side]) / 2):
                least = min(float(group[f"corr_{index}"]) ** 2 for group in groups)
                found.append(_row(side, transform, "r2", least, _rows(groups)))
    return found


def alone_with_classes(sides: Mapping[str, Mapping[Any, _Groups]], transforms: Sequence[FeatureTransform]) -> list[Row]:
    """Return how well each feature ranks the classes: the area under the ROC curve (the probability that of a row of
    either class the right one has more of it, ties counted half) of the two classes that it tells apart worst.

    A null is a value like any other, below or above all. Areas of numbers come from hundredths of each class.

    Args:
        sides: `training` and `holdout` to the groups of each class.
    """
    counts = {side: {label: _rows(groups) for label, groups in of.items()} for side, of in sides.items()}
    common = [
        label
        for label, rows in counts["holdout"].items()
        if min(rows, counts["training"].get(label, 0)) >= FEWEST_OF_CLASS
    ]
    labels = sorted(common, key=lambda label: -counts["holdout"][label])[:MOST_CLASSES]
    pairs = list(combinations(labels, 2))
    found: list[Row] = []
    for index, transform in enumerate(transforms):
        areas = _areas_of_kind(transform)
        if areas is None or not pairs:
            continue
        parts = [sides[side][label] for side in _SIDES for label in labels]
        if not all(_is_sampled(groups, index) for groups in parts):
            continue
        pairwise = [areas(*(sides[side][label] for side in _SIDES for label in pair), index) for pair in pairs]
        for at, side in enumerate(_SIDES):
            rows = sum(counts[side][label] for label in labels)
            found.append(_row(side, transform, "areaUnderROC", min(areas[at] for areas in pairwise), rows))
    return found


def _is_sampled(groups: _Groups, index: int) -> bool:
    """Return whether what is known of a feature is of most rows that have a value: a sample may lack a rare class."""
    present: int = sum(group[f"present_{index}"] for group in groups)
    drawn: int = sum(group[f"present_{index}"] for group in groups if group.get(f"drawn_{index}"))
    return 2 * drawn >= present


def _areas_of_kind(transform: FeatureTransform) -> Any:
    if transform.kind in NUMERIC:
        return _areas_of_numbers
    return _areas_of_values if transform.kind is Kind.CATEGORY else None


def _areas_of_numbers(
    first: _Groups, second: _Groups, first_held: _Groups, second_held: _Groups, index: int
) -> tuple[float, float]:
    """Return the area on the training rows and on the hold-out, the same way round."""
    tried = []
    for null in _NULLS:
        learnt = _area(_numbers(first, index, null), _numbers(second, index, null))
        held = _area(_numbers(first_held, index, null), _numbers(second_held, index, null))
        tried.append((learnt, held) if learnt >= 0.5 else (1 - learnt, 1 - held))
    return max(tried)


def _numbers(groups: _Groups, index: int, null: float) -> _Spread:
    drawn = [group for group in groups if group.get(f"drawn_{index}") or not group[f"finite_{index}"]]
    values, shares, total = [np.array([null])], [np.zeros(1)], _rows(drawn)
    for group in drawn:
        finite = group[f"finite_{index}"]
        shares[0] += (group["n"] - finite) / total
        cuts = group.get(f"cuts_{index}")
        if finite and cuts:
            # Between two quantiles there are as many rows as between any others; the outer ones have one neighbour.
            weights = np.ones(len(cuts))
            weights[[0, -1]] = 0.5
            values.append(np.array(cuts, dtype=float))
            shares.append(weights / weights.sum() * finite / total)
    return _sorted(np.concatenate(values), np.concatenate(shares))


def _areas_of_values(
    first: _Groups, second: _Groups, first_held: _Groups, second_held: _Groups, index: int
) -> tuple[float, float]:
    one, other = _values(first, index), _values(second, index)
    least = [_least(shares) for shares in (one, other)]
    ranks = {}
    for value in one.keys() | other.keys():
        shares = one.get(value, least[0]), other.get(value, least[1])
        ranks[value] = shares[0] / sum(shares) if sum(shares) else 0.5
    spreads = [_ranked(_values(groups, index), ranks) for groups in (first, second, first_held, second_held)]
    return _area(spreads[0], spreads[1]), _area(spreads[2], spreads[3])


def _values(groups: _Groups, index: int) -> dict[str | None, float]:
    """Return the share of the rows that has each of the most frequent values; None: that has none."""
    shares: dict[str | None, float] = {None: 0.0}
    known = [group for group in groups if group.get(f"drawn_{index}") or not group[f"present_{index}"]]
    total = _rows(known)
    for group in known:
        present, drawn = group[f"present_{index}"], group.get(f"drawn_{index}")
        shares[None] += (group["n"] - present) / total
        for entry in group.get(f"top_{index}") or ():
            if entry["item"] is not None:
                share = entry["count"] / drawn * present / total
                shares[entry["item"]] = shares.get(entry["item"], 0.0) + share
    return shares


def _least(shares: Mapping[str | None, float]) -> float:
    """Return the share that a value may have which is not among those counted: none where all were."""
    listed = [share for value, share in shares.items() if value is not None]
    return min(listed) if len(listed) > TOP_VALUES else 0.0


def _ranked(shares: Mapping[str | None, float], ranks: Mapping[str | None, float]) -> _Spread:
    known = {value: share for value, share in shares.items() if value in ranks}
    # Of a value that was not counted in training rows nothing is known.
    values = np.array([*[ranks[value] for value in known], 0.5])
    return _sorted(values, np.array([*known.values(), max(1 - sum(known.values()), 0.0)]))


def _sorted(values: Numbers, shares: Numbers) -> _Spread:
    order = np.argsort(values, kind="stable")
    return values[order], shares[order]


def _area(first: _Spread, second: _Spread) -> float:
    """Return how probably a draw of the first is above one of the second, ties counted half."""
    (values, shares), (others, other_shares) = first, second
    below = np.concatenate([np.zeros(1), np.cumsum(other_shares)])
    under, up_to = (np.searchsorted(others, values, side) for side in ("left", "right"))
    return float(shares @ (below[under] + below[up_to]) / 2)


def _rows(groups: _Groups) -> int:
    return sum(group["n"] for group in groups)


def _row(side: str, transform: FeatureTransform, metric: str, value: float, rows: int) -> Row:
    # Sums of shares are one but for rounding.
    value = min(value, 1.0)
    return {"dataset": side, "slice": "", "feature": transform.column, "metric": metric, "value": value, "rows": rows}
