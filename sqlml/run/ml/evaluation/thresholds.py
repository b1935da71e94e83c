"""Learns the threshold of two classes: rows scored by fits that have not seen them in, the best threshold out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sqlml.ir.measuring import ThresholdRule
from sqlml.run.ml.evaluation.binary import LABELS, PREDICTED, Ranking, bin_scores, binary_expressions
from sqlml.run.ml.evaluation.decisions import decision_values, measure_classes
from sqlml.run.ml.evaluation.rows import SLICES, collect_groups, rows_to_measure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

CANDIDATES = 2000
"""So many thresholds are tried at most; all of them, where there are no more scores."""

_DATASET = "training"


def learn_threshold(scored: DataFrame, rule: ThresholdRule) -> float:
    """Return the threshold that is best on `scored`: a row is of class 1 when its probability is above it."""
    rows = rows_to_measure({_DATASET: scored.drop(SLICES)}, binary_expressions(True, "probability"))
    groups = collect_groups(bin_scores(rows, CANDIDATES), ("bin", "p_bin"))
    return best_threshold(Ranking.of(groups[_DATASET, ""]), rule)


def best_threshold(ranking: Ranking, rule: ThresholdRule) -> float:
    """Return the best threshold between two bins; of several that are as good, the one nearest to a half."""
    highest = np.append(ranking.highest_p, 0.0)
    lowest = np.insert(ranking.lowest_p, 0, 1.0)
    thresholds = (highest + lowest) / 2
    # Rows of one probability cannot be told apart by it.
    is_border = (highest < lowest) & (thresholds > 0) & (thresholds < 1)
    goodness = _goodness(ranking, rule)[is_border]
    best = np.flatnonzero(goodness >= goodness.max())
    found = thresholds[is_border][best]
    return float(found[np.argmin(np.abs(found - 0.5))])


def _goodness(ranking: Ranking, rule: ThresholdRule) -> Numbers:
    """Return how good it is to take the rows of the first bins for class 1, for none of them up to all."""
    positive, negative = (np.insert(sums.cumsum(), 0, 0.0) for sums in ranking.classes)
    cells = np.stack([positive, positive[-1] - positive, negative, negative[-1] - negative], axis=-1)
    if rule.maximize is None:
        costs: Numbers = -(rule.false_negative * cells[:, 1] + rule.false_positive * cells[:, 2])
        return costs
    return decision_values(measure_classes(LABELS, PREDICTED, cells, 2))[rule.maximize]
