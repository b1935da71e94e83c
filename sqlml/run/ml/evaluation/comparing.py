"""Measures two fitted models on the same rows: scored rows of both in, values and intervals of their difference out.

Rows are dealt out to buckets, the same for both. A replicate draws buckets with replacement (Poisson
counts), once for both models: what moves both is no doubt about which of them is better.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.gates import measured_tops
from sqlml.ir.metrics import kind_of
from sqlml.ir.project import MlModel
from sqlml.run.ml.estimator import LABEL
from sqlml.run.ml.evaluation.binary import BINS, P_BIN, SCORE_SUMS, Ranking, binary_expressions, ranking_values
from sqlml.run.ml.evaluation.multiclass import (
    DECISION_KEYS,
    DECISION_SUMS,
    MOST_NUMBERS,
    decision_expressions,
    group_decisions,
    multiclass_values,
)
from sqlml.run.ml.evaluation.regression import (
    BUCKETS,
    SUMS,
    Constant,
    error_values,
    group_errors,
    of_known_labels,
    regression_expressions,
)
from sqlml.run.ml.evaluation.resampling import REPLICATES, interval_of
from sqlml.run.ml.evaluation.rows import Groups, collect_groups, rows_to_measure

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

_SEED = 42
NOW, WAS = "now", "was"


@dataclass(frozen=True, slots=True)
class Contestant:
    """Whose predictions are measured, and what its classes are, by class index."""

    ml_model: MlModel
    entry: Estimator
    classes: tuple[str, ...] = ()

    @property
    def is_ranked(self) -> bool:
        """Whether it ranks rows of two classes."""
        return len(self.classes) == 2 and self.entry.returns.has_classes and self.entry.returns is not Returns.CLASS

    @property
    def has_p(self) -> bool:
        """Whether it gives probabilities."""
        return self.entry.returns is Returns.PROBABILITIES


@dataclass(frozen=True, slots=True)
class Paired:
    """The metrics of both on one slice.

    Attributes:
        now, was: exactly, as the rows have them.
        drawn_now, drawn_was: nearly, in each replicate; the first is that of the rows as they are.
    """

    rows: int
    now: Mapping[str, float] = field(default_factory=dict)
    was: Mapping[str, float] = field(default_factory=dict)
    drawn_now: Mapping[str, Numbers] = field(default_factory=dict)
    drawn_was: Mapping[str, Numbers] = field(default_factory=dict)

    def gain(self, metric: str) -> tuple[float | None, float | None]:
        """Return the 95 % interval of how much better `now` is; none where it cannot be measured."""
        now, was = self.now.get(metric, np.nan), self.was.get(metric, np.nan)
        if np.isnan(now) or np.isnan(was) or metric not in self.drawn_now or metric not in self.drawn_was:
            return None, None
        kind = kind_of(metric)
        sign = 1 if kind is None or kind.is_higher_better else -1
        difference = sign * (self.drawn_now[metric] - self.drawn_was[metric])
        return interval_of(difference[1:], sign * (now - was) - float(difference[0]))


def compare_pair(
    now: tuple[DataFrame, Contestant], was: tuple[DataFrame, Contestant], bucket: str, parts: Collection[str]
) -> Mapping[str, Paired]:
    """Return what was measured of each of the slices `parts` (`''`: all rows).

    Args:
        now, was: the same rows with what either predicts of them, and who it is.
        bucket: the column with the number of a row's bucket, from 0, which both have.
    """
    from pyspark.sql import functions as sf

    problem = now[1].entry.problem
    # A rating is a number as well.
    measure = _decisions if problem is Problem.CLASSIFICATION else _errors
    if problem is Problem.CLASSIFICATION and now[1].is_ranked and was[1].is_ranked:
        measure = _rankings
    draws = draw_buckets()
    sides = {}
    for name, (rows, who) in ((NOW, now), (WAS, was)):
        sides[name] = measure(rows, who, sf.col(bucket), parts, draws)
    found = {}
    for part in parts:
        if part in sides[NOW] and part in sides[WAS]:
            (count, exact_now, drawn_now), (_, exact_was, drawn_was) = sides[NOW][part], sides[WAS][part]
            found[part] = Paired(count, exact_now, exact_was, drawn_now, drawn_was)
    return found


def draw_buckets() -> Numbers:
    """Return how often each of `BUCKETS` counts in each replicate; in the first each counts once."""
    draws = np.random.default_rng(_SEED).poisson(1.0, (REPLICATES, BUCKETS)).astype(float)
    return np.concatenate([np.ones((1, BUCKETS)), draws])


_Measured = dict[str, tuple[int, Mapping[str, float], Mapping[str, "Numbers"]]]
_Measure = Callable[["DataFrame", Contestant, "Column", Collection[str], "Numbers"], _Measured]


def _wanted(rows: DataFrame, expressions: Mapping[str, Column], bucket: Column, parts: Collection[str]) -> DataFrame:
    from pyspark.sql import functions as sf

    measured = rows_to_measure({NOW: rows}, {**expressions, "bucket": bucket})
    return measured.where(sf.col("slice").isin(*parts))


def _rankings(rows: DataFrame, who: Contestant, bucket: Column, parts: Collection[str], draws: Numbers) -> _Measured:
    binned = _bin_by_bucket(_wanted(rows, binary_expressions(who.has_p, who.entry.ranks_by), bucket, parts))
    tops = measured_tops(who.ml_model)
    found: _Measured = {}
    for (_, part), groups in collect_groups(binned, ("bin", "p_bin", "bucket")).items():
        keys = np.stack([groups["bin"], groups["p_bin"]]).astype(int)
        cuts, at = np.unique(keys, axis=1, return_inverse=True)
        at = at.reshape(-1).astype(np.int64)
        cells = np.zeros((BUCKETS, 4, cuts.shape[1]))
        for kind, name in enumerate(("tp", "fn", "fp", "tn")):
            np.add.at(cells[:, kind], (groups["bucket"].astype(int), at), groups[name].astype(float))
        ranking = Ranking.of({**_by_bin(groups, at, cuts.shape[1]), "p_bin": cuts[1].astype(float)})
        drawn = (draws @ cells.reshape(BUCKETS, -1)).reshape(len(draws), 4, -1)
        values = ranking_values(ranking, drawn, tops, who.has_p)
        exact = {name: float(value[0]) for name, value in values.items()} | dict(ranking.areas)
        found[part] = (ranking.rows, exact, values)
    return found


_CARRIED = (*[name for name in SCORE_SUMS if name != "p"], "roc", "pr", "steps")


def _bin_by_bucket(rows: DataFrame) -> DataFrame:
    """Return the bins of each slice by bucket; as `bin_scores`, but rows of one score may be in several buckets."""
    from pyspark.sql import functions as sf

    sums = [sf.expr(sql).alias(name) for name, sql in SCORE_SUMS.items()]
    by_score = rows.groupBy("dataset", "slice", "bucket", "score").agg(*sums)
    # Rows of one score are passed at once, in whatever bucket they are.
    best_first = "OVER (PARTITION BY slice ORDER BY score DESC RANGE UNBOUNDED PRECEDING)"
    alike, whole = "OVER (PARTITION BY slice, score)", "OVER (PARTITION BY slice)"
    passed = by_score.selectExpr(
        "*",
        f"sum(tp + fn) {best_first} AS positives",
        f"sum(fp + tn) {best_first} AS negatives",
        f"sum(tp + fn) {alike} AS positive",
        f"sum(fp + tn) {alike} AS negative",
        f"sum(n) {best_first} - sum(n) {alike} AS before",
        f"sum(n) {whole} AS total",
    ).selectExpr(
        "*",
        "coalesce(try_divide(positives, positives + negatives), 0D) AS precision",
        "try_divide(positives - positive, positives + negatives - positive - negative) AS precision_before",
    )
    binned = passed.selectExpr(
        *[name for name in _CARRIED if name not in ("roc", "pr", "steps")],
        "dataset",
        "slice",
        "bucket",
        "score",
        "p",
        f"CAST(floor(before * {BINS} / total) AS INT) AS bin",
        f"{P_BIN} AS p_bin",
        "(fp + tn) * (positives - positive / 2) AS roc",
        "(tp + fn) * (precision + coalesce(precision_before, precision)) / 2 AS pr",
        "(tp + fn) * precision AS steps",
    )
    return binned.groupBy("dataset", "slice", "bucket", "bin", "p_bin").agg(
        *[sf.expr(f"sum({name})").alias(name) for name in _CARRIED]
    )


def _by_bin(groups: Groups, at: NDArray[np.int64], bins: int) -> Groups:
    """Return the groups of all buckets together; what only curves need is left 0."""
    summed = {name: np.bincount(at, groups[name].astype(float), bins) for name in _CARRIED}
    nothing = dict.fromkeys(("score", "lowest_p", "highest_p"), np.zeros(bins))
    return summed | nothing | {f"{name}_squares": np.zeros(bins) for name in ("tp", "fn", "fp", "tn")}


def _decisions(rows: DataFrame, who: Contestant, bucket: Column, parts: Collection[str], draws: Numbers) -> _Measured:
    grouped = group_decisions(_wanted(rows, decision_expressions(who.has_p), bucket, parts), "bucket")
    found: _Measured = {}
    for (_, part), groups in collect_groups(grouped, (*DECISION_KEYS, "bucket")).items():
        kinds, at = np.unique(np.stack([groups[key] for key in DECISION_KEYS]).astype(int), axis=1, return_inverse=True)
        at = at.reshape(-1)
        count = kinds.shape[1]
        if count * len(draws) > MOST_NUMBERS:
            continue
        weights = np.zeros((BUCKETS, count))
        np.add.at(weights, (groups["bucket"].astype(int), at), groups["weight_sum"].astype(float))
        whole: Groups = dict(zip(DECISION_KEYS, kinds, strict=True))
        whole |= {name: np.bincount(at, groups[name].astype(float), count) for name in DECISION_SUMS}
        values = multiclass_values(whole, draws @ weights, len(who.classes), who.has_p)
        found[part] = (int(whole["n"].sum()), {name: float(value[0]) for name, value in values.items()}, values)
    return found


def _errors(rows: DataFrame, who: Contestant, bucket: Column, parts: Collection[str], draws: Numbers) -> _Measured:
    known = of_known_labels(rows)
    # Around the mean, so that the squares of large labels do not swallow their variance.
    mean = known.selectExpr(f"avg({LABEL})").collect()[0][0]
    wanted = _wanted(known, regression_expressions(()), bucket, parts)
    grouped = group_errors(wanted, Constant(float(mean or 0.0)), ()).where("bucket IS NOT NULL")
    found: _Measured = {}
    for (_, part), groups in collect_groups(grouped, ("bucket",)).items():
        sums = np.zeros((BUCKETS, len(SUMS)))
        for at, name in enumerate(SUMS):
            sums[groups["bucket"].astype(int), at] = groups[f"sum_{name}"].astype(float)
        values = error_values(draws @ sums)
        rows_there = int(groups["sum_n"].astype(float).sum())
        found[part] = (rows_there, {name: float(value[0]) for name, value in values.items()}, values)
    return found
