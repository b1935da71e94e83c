"""Measures features in groups of rows: rows and aggregates in, one dict of measures for each group out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlml.ir.chains import FeatureTransform
from sqlml.run.ml.features.profile import feature_measures
from sqlml.run.ml.features.statistics import sample_rows, sampled_measures

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_FEW_ROWS = 10_000
"""Up to so many rows one scan for everything costs least, since each takes Spark as long to plan as to do."""

_TOGETHER = 10
"""So many features are measured by one scan: of more than 100 columns of state Spark compiles no loop."""


def scan_groups(
    rows: DataFrame,
    count: int,
    by: Sequence[Column],
    measures: Sequence[Column],
    *,
    transforms: Sequence[FeatureTransform],
    more: Sequence[Column] = (),
    most: int,
) -> list[dict[str, Any]]:
    """Return `measures`, `feature_measures` and `sampled_measures` of each group of rows, at most so many groups.

    Many rows are scanned several times, each time for columns of their own: what Spark compiles apart from what it
    does not, and that on a sample. A group without rows in the sample lacks those measures.

    Args:
        rows: `count` of them, kept in memory.
        by: what the groups differ in.
        more: measures of features beside those, two of each.
    """
    plain = [feature_measures(index, transform) for index, transform in enumerate(transforms)]
    sampled = [one for index, transform in enumerate(transforms) for one in sampled_measures(index, transform)]
    if count <= _FEW_ROWS:
        return _scan(rows, by, [*measures, *chain(*plain), *more, *sampled], most)
    parts = [(rows, list(chain(*plain[at : at + _TOGETHER]))) for at in range(0, len(plain), _TOGETHER)]
    parts += [(rows, list(more[at : at + 2 * _TOGETHER])) for at in range(0, len(more), 2 * _TOGETHER)]
    groups = _scan(rows, by, measures, most)
    if len(groups) == most:
        return groups
    found = {_key(group, len(by)): group for group in groups}
    for some, wanted in (*parts, *([(sample_rows(rows, count), sampled)] if sampled else [])):
        for group in _scan(some, by, wanted, most):
            found[_key(group, len(by))].update(group)
    return list(found.values())


def _scan(rows: DataFrame, by: Sequence[Column], measures: Sequence[Column], most: int) -> list[dict[str, Any]]:
    return [row.asDict() for row in rows.groupBy(*by).agg(*measures).limit(most).collect()]


def _key(group: dict[str, Any], size: int) -> str:
    """Return what tells a group from others; as text, since NaN equals nothing."""
    return repr(list(group.values())[:size])
