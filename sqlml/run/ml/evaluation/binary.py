"""Measures a classifier of two classes: scored rows in, bins of rows by descending score out, and metrics of those.

Everything of a ranking follows from how much of each class there is at each score. One query counts it, sums it up from
the highest score down, adds up the areas exactly, and leaves at most a few hundred bins, of which each holds the rows
between two quantiles of the score and rows of one score are never parted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sqlml.ir.metrics import measured_name
from sqlml.run.ml.estimator import LABEL
from sqlml.run.ml.evaluation.decisions import decision_values, measure_classes
from sqlml.run.ml.evaluation.resampling import divide, draw_weights, of_rows
from sqlml.run.ml.evaluation.rows import Groups

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

BINS = 500
SLICE_BINS = 100
CALIBRATION_BINS = 10
# Spark's, in MulticlassMetrics.logLoss: a probability of 0 would be an infinite loss.
LOG_LOSS_EPSILON = 1e-15
_CELLS = ("tp", "fn", "fp", "tn")
LABELS, PREDICTED = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
EDGES = np.linspace(0.0, 1.0, CALIBRATION_BINS + 1)[1:-1]
P_BIN = " + ".join(f"IF(p > {edge!r}D, 1, 0)" for edge in EDGES.tolist())
"""The SQL of the tenth that a probability `p` lies in, from 0."""

_IS = {
    "tp": "label = 1 AND predicted = 1",
    "fn": "label = 1 AND predicted != 1",
    "fp": "label = 0 AND predicted = 1",
    "tn": "label = 0 AND predicted != 1",
}
_CLIPPED = f"least(greatest(IF(label = 1, p, 1 - p), {LOG_LOSS_EPSILON}D), 1 - {LOG_LOSS_EPSILON}D)"
SCORE_SUMS = {
    "n": "count(1)",
    "p": "max(p)",
    **{name: f"sum(IF({_IS[name]}, weight, 0D))" for name in _CELLS},
    "sum_p": "sum(weight * p)",
    "positive_loss": f"sum(IF(label = 1, weight * -ln({_CLIPPED}), 0D))",
    "negative_loss": f"sum(IF(label = 0, weight * -ln({_CLIPPED}), 0D))",
    "positive_brier": "sum(IF(label = 1, weight * (1 - p) * (1 - p), 0D))",
    "negative_brier": "sum(IF(label = 0, weight * p * p, 0D))",
}
"""What is summed up of the rows of one score."""


def binary_expressions(has_probabilities: bool, ranks_by: str) -> dict[str, Column]:
    """Return what is read of each scored row: `score`, by which rows are ranked, and `p`, 0 where there is none.

    Args:
        has_probabilities: whether class 1 has a probability.
        ranks_by: Spark's column whose value of class 1 is the score.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    def of_class_1(column: str) -> Column:
        return sf.get(vector_to_array(sf.col(column)), sf.lit(1))

    return {
        "label": sf.col(LABEL).cast("int"),
        "predicted": sf.col("prediction").cast("int"),
        "score": of_class_1(ranks_by),
        "p": of_class_1("probability") if has_probabilities else sf.lit(0.0),
    }


def bin_scores(rows: DataFrame, bins: int = BINS, slice_bins: int = SLICE_BINS) -> DataFrame:
    """Return the bins of each dataset and slice, `bin` counting from the highest score; a bin lies in one `p_bin`."""
    sums = SCORE_SUMS | {f"{name}_squares": f"sum(IF({_IS[name]}, weight * weight, 0D))" for name in _CELLS}
    by_score = _aggregate(rows, ("dataset", "slice", "score"), sums)
    best_first = "OVER (PARTITION BY dataset, slice ORDER BY score DESC ROWS UNBOUNDED PRECEDING)"
    curve = by_score.selectExpr(
        "*",
        "tp + fn AS positive",
        "fp + tn AS negative",
        f"sum(tp + fn) {best_first} AS positives",
        f"sum(fp + tn) {best_first} AS negatives",
        f"sum(n) {best_first} AS ns",
        "sum(n) OVER (PARTITION BY dataset, slice) AS total",
    ).selectExpr("*", "coalesce(try_divide(positives, positives + negatives), 0D) AS precision")
    # Before the best score precision is what it is there, as in Spark's curve.
    lag = "lag(precision) OVER (PARTITION BY dataset, slice ORDER BY score DESC)"
    size = f"IF(slice = '', {bins}, {slice_bins})"
    binned = curve.selectExpr(
        "*",
        f"coalesce({lag}, precision) AS before",
        f"CAST(floor((ns - n) * {size} / total) AS INT) AS bin",
        f"{P_BIN} AS p_bin",
    )
    carried = {name: f"sum({name})" for name in sums if name != "p"}
    return _aggregate(binned, ("dataset", "slice", "bin", "p_bin"), carried | _OF_BIN)


_OF_BIN = {
    "score": "min(score)",
    "lowest_p": "min(p)",
    "highest_p": "max(p)",
    # Trapezoids over every distinct score, and scikit-learn's steps.
    "roc": "sum(negative * (positives - positive / 2))",
    "pr": "sum(positive * (precision + before) / 2)",
    "steps": "sum(positive * precision)",
}


def _aggregate(rows: DataFrame, keys: Sequence[str], sums: Mapping[str, str]) -> DataFrame:
    from pyspark.sql import functions as sf

    return rows.groupBy(*keys).agg(*[sf.expr(sql).alias(name) for name, sql in sums.items()])


@dataclass(frozen=True, slots=True)
class Ranking:
    """Bins of one dataset and slice from the highest score down; the last axis of every array is the bin.

    Attributes:
        cells: weights of true positives, false negatives, false positives and true negatives.
        squares: sums of squares of the same.
        losses, briers: weighted sums of the positive rows', then of the negative rows'.
        sum_p: weighted sum of the probabilities of class 1.
        p_bin: tenth of the probability, from 0.
        score, lowest_p, highest_p: the lowest score; the lowest and highest probability.
        areas: under ROC and precision-recall curve and scikit-learn's average precision, exactly; empty: not known.
    """

    rows: int
    cells: Numbers
    squares: Numbers
    losses: Numbers
    briers: Numbers
    sum_p: Numbers
    p_bin: Numbers
    score: Numbers
    lowest_p: Numbers
    highest_p: Numbers
    areas: Mapping[str, float]

    @classmethod
    def of(cls, groups: Groups) -> Ranking:
        """Take what `bin_scores` gave for one dataset and slice, sorted by bin."""
        cells = np.stack([groups[name] for name in _CELLS])
        positives, negatives = float(cells[:2].sum()), float(cells[2:].sum())
        areas: dict[str, float] = {}
        if positives and negatives:
            areas = {
                "areaUnderROC": float(groups["roc"].sum()) / (positives * negatives),
                "areaUnderPR": float(groups["pr"].sum()) / positives,
                "averagePrecision": float(groups["steps"].sum()) / positives,
            }
        return cls(
            rows=int(groups["n"].sum()),
            cells=cells,
            squares=np.stack([groups[f"{name}_squares"] for name in _CELLS]),
            losses=np.stack([groups["positive_loss"], groups["negative_loss"]]),
            briers=np.stack([groups["positive_brier"], groups["negative_brier"]]),
            sum_p=groups["sum_p"],
            p_bin=groups["p_bin"],
            score=groups["score"],
            lowest_p=groups["lowest_p"],
            highest_p=groups["highest_p"],
            areas=areas,
        )

    @property
    def classes(self) -> Numbers:
        """Weights of the positive rows, then of the negative ones."""
        return np.stack([self.cells[0] + self.cells[1], self.cells[2] + self.cells[3]])

    def draw(self, replicates: int) -> Numbers:
        """Return replicates of `cells`."""
        return draw_weights(self.cells, self.squares, replicates)

    def as_baseline(self, share: float) -> Ranking:
        """Return the same rows scored by a model that gives each the probability `share` of class 1: one bin."""
        positives, negatives = self.classes.sum(axis=-1)
        kept = min(max(share, LOG_LOSS_EPSILON), 1 - LOG_LOSS_EPSILON)
        one = np.ones(1)
        return Ranking(
            rows=self.rows,
            cells=all_alike(np.array([[positives], [negatives]]), share > 0.5),
            squares=np.zeros((4, 1)),
            losses=np.array([[-np.log(kept) * positives], [-np.log(1 - kept) * negatives]]),
            briers=np.array([[(1 - share) ** 2 * positives], [share**2 * negatives]]),
            sum_p=one * share * (positives + negatives),
            p_bin=np.searchsorted(EDGES, one * share).astype(float),
            score=one,
            lowest_p=one * share,
            highest_p=one * share,
            areas={},
        )


def all_alike(classes: Numbers, is_positive: bool) -> Numbers:
    """Return the weights of the four cells where every row is predicted to be of one class, on the last axis but one.

    Args:
        classes: weights of the positive and of the negative rows, on the last axis but one.
    """
    positive, negative = classes[..., 0, :], classes[..., 1, :]
    nothing = np.zeros_like(positive)
    cells = (positive, nothing, negative, nothing) if is_positive else (nothing, positive, nothing, negative)
    return np.stack(cells, axis=-2)


def ranking_values(
    ranking: Ranking, cells: Numbers, tops: Sequence[float], has_probabilities: bool
) -> dict[str, Numbers]:
    """Return every metric in each replicate.

    Args:
        cells: replicates of `ranking.cells`.
        tops: the shares of rows that metrics of the top are about.
    """
    classes = np.stack([cells[:, 0] + cells[:, 1], cells[:, 2] + cells[:, 3]], axis=1)
    values = _curve_values(classes)
    values |= decision_values(measure_classes(LABELS, PREDICTED, cells.sum(axis=-1), 2))
    if has_probabilities:
        values |= _probability_values(ranking, classes)
    for top in tops:
        values |= _top_values(classes, top)
    return of_rows(values, classes.sum(axis=(1, 2)))


def _curve_values(classes: Numbers) -> dict[str, Numbers]:
    positive, negative = classes[:, 0], classes[:, 1]
    positives, negatives = positive.cumsum(axis=-1), negative.cumsum(axis=-1)
    all_positive, all_negative = positives[:, -1], negatives[:, -1]
    precision = divide(positives, positives + negatives)
    before = np.concatenate([precision[:, :1], precision[:, :-1]], axis=-1)
    roc = (negative * (positives - positive / 2)).sum(axis=-1)
    is_missing = (all_positive == 0) | (all_negative == 0)

    def known(value: Numbers) -> Numbers:
        return np.where(is_missing, np.nan, value)

    return {
        "areaUnderROC": known(divide(roc, all_positive * all_negative)),
        "areaUnderPR": known(divide((positive * (precision + before) / 2).sum(axis=-1), all_positive)),
        "averagePrecision": known(divide((positive * precision).sum(axis=-1), all_positive)),
    }


def _probability_values(ranking: Ranking, classes: Numbers) -> dict[str, Numbers]:
    total = classes.sum(axis=(1, 2))
    # Within a bin and a class the loss of a row is taken for the mean.
    losses, briers = (divide(sums, ranking.classes) for sums in (ranking.losses, ranking.briers))
    mean_p = divide(ranking.sum_p, ranking.classes.sum(axis=0))
    in_bin = np.eye(CALIBRATION_BINS)[ranking.p_bin.astype(int)]
    rows = classes.sum(axis=1)
    gaps = (classes[:, 0] - rows * mean_p) @ in_bin
    return {
        "logLoss": divide((classes * losses).sum(axis=(1, 2)), total),
        "brierScore": divide((classes * briers).sum(axis=(1, 2)), total),
        "calibrationError": divide(np.abs(gaps).sum(axis=-1), total),
    }


def _top_values(classes: Numbers, top: float) -> dict[str, Numbers]:
    """Return the metrics of the share `top` of the rows; of rows with one score at its border, their mean counts."""
    rows = classes.sum(axis=1)
    total = rows.sum(axis=-1)
    wanted = top * total
    before = rows.cumsum(axis=-1) - rows
    taken = np.clip(wanted[:, None] - before, 0, rows)
    found = (classes[:, 0] * divide(taken, rows)).sum(axis=-1)
    positives = classes[:, 0].sum(axis=-1)
    precision = divide(found, wanted)
    lift = divide(precision, divide(positives, total), np.nan)
    names = [measured_name(name, top) for name in ("precisionAtTop", "recallAtTop", "liftAtTop")]
    return dict(zip(names, (precision, divide(found, positives, np.nan), lift), strict=True))
