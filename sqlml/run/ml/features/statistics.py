"""Describes features for drift: transforms in, aggregates for the scan before a fit and what they come to out.

The scan groups rows by side and class; what it finds of each group is put together here, so that no row is read twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.ir.chains import FeatureTransform
from sqlml.ir.explanations import Row
from sqlml.ir.words import NUMERIC, Kind
from sqlml.run.ml.features.profile import finite_sql
from sqlml.run.ml.features.source_sql import source_of
from sqlml.run.ml.layout import row_hash

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SAMPLE_ROWS = 50_000
"""About so many rows decide quantiles and top values where there are more: to sort all costs more than the scan."""

TOP_VALUES = 50
SHARES = tuple(number / 20 for number in range(21))
"""Where quantiles are reported: 0 is the least value, 1 the greatest."""

# Of several groups the quantiles are put together from finer ones.
_FINE = 100


def sample_rows(rows: DataFrame, count: int) -> DataFrame:
    """Return `rows`, `count` of them, or if they are many about `SAMPLE_ROWS`; which ones follows from the rows."""
    from pyspark.sql import functions as sf

    every = count // SAMPLE_ROWS
    return rows if every < 2 else rows.where(sf.pmod(row_hash(rows), sf.lit(every)) == 0)


def sampled_measures(index: int, transform: FeatureTransform) -> list[Column]:
    """Return the aggregates of a feature's quantiles or top values, by their aliases; none for what has neither."""
    from pyspark.sql import functions as sf

    if transform.kind in NUMERIC:
        finite = finite_sql(transform)
        cuts = ", ".join(f"{number / _FINE}D" for number in range(_FINE + 1))
        sqls = {"drawn": f"count({finite})", "cuts": f"percentile_approx({finite}, array({cuts}))"}
    elif transform.kind is Kind.CATEGORY:
        text = f"CAST({source_of(transform)} AS STRING)"
        sqls = {"drawn": f"count({text})", "top": f"approx_top_k({text}, {TOP_VALUES + 1})"}
    else:
        return []
    return [sf.expr(sql).alias(f"{name}_{index}") for name, sql in sqls.items()]


def feature_statistics(groups: Sequence[Any], transforms: Sequence[FeatureTransform], dataset: str) -> list[Row]:
    """Return one row of the table `feature_statistics` for each feature.

    Args:
        groups: the rows of measures of this dataset, one per class.
    """
    rows = sum(group["n"] for group in groups)
    found: list[Row] = []
    for index, transform in enumerate(transforms):
        nulls = rows - sum(group[f"present_{index}"] for group in groups)
        row: dict[str, Any] = {"dataset": dataset, "slice": "", "feature": transform.column, "type": transform.type}
        row |= {"rows": rows, "nulls": nulls, "null_share": nulls / rows if rows else 0.0}
        if transform.kind in NUMERIC:
            row |= _numbers(groups, index)
        elif transform.kind is Kind.CATEGORY:
            row["top"] = _top(groups, index)
        found.append(row)
    return found


def _numbers(groups: Sequence[Any], index: int) -> dict[str, Any]:
    parts = [group for group in groups if group[f"finite_{index}"]]
    if not parts:
        return {}
    counts = np.array([part[f"finite_{index}"] for part in parts], dtype=float)
    means = np.array([part[f"mean_{index}"] for part in parts])
    variances = np.array([part[f"variance_{index}"] for part in parts])
    mean = float(counts @ means / counts.sum())
    with np.errstate(over="ignore"):
        # Variance within groups and between them.
        variance = float(counts @ (variances + (means - mean) ** 2) / counts.sum())
    low = min(part[f"low_{index}"] for part in parts)
    high = max(part[f"high_{index}"] for part in parts)
    drawn = [(part[f"cuts_{index}"], part[f"drawn_{index}"]) for part in parts if part.get(f"drawn_{index}")]
    ends = {"mean": mean, "stddev": math.sqrt(variance), "min": low, "max": high}
    if not drawn:
        # The few rows that have a value are not in the sample.
        return ends
    quantiles = _quantiles(drawn, low, high)
    named = {name: quantiles[at] for name, at in (("p05", 1), ("p25", 5), ("p50", 10), ("p75", 15), ("p95", 19))}
    return {**ends, **named, "quantiles": quantiles}


def _quantiles(parts: Sequence[tuple[Sequence[float], int]], low: float, high: float) -> list[float]:
    """Return the quantiles at `SHARES` of groups that are each known by `_FINE` + 1 of its own and its rows."""
    values = np.concatenate([np.asarray(cuts, dtype=float) for cuts, _ in parts])
    weights = np.concatenate([np.full(_FINE + 1, rows / (_FINE + 1)) for _, rows in parts])
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    at = np.searchsorted(passed, np.array(SHARES) * passed[-1] * (1 - 1e-12))
    middle = values[order][np.minimum(at, len(values) - 1)]
    return [float(low), *middle[1:-1].tolist(), float(high)]


def _top(groups: Sequence[Any], index: int) -> list[dict[str, Any]]:
    """Return the most frequent values with their share of the rows that have one, ties by the alphabet."""
    counts: dict[str, int] = {}
    for group in groups:
        for entry in group.get(f"top_{index}") or ():
            if entry["item"] is not None:
                counts[entry["item"]] = counts.get(entry["item"], 0) + entry["count"]
    total = sum(group.get(f"drawn_{index}", 0) for group in groups)
    best = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:TOP_VALUES]
    return [{"value": value, "share": count / total} for value, count in best] if total else []
