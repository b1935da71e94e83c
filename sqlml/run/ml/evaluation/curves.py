"""The tables behind curves: bins and groups of rows in, rows for `ml_table()` out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.ir.explanations import Row
from sqlml.run.ml.evaluation.binary import CALIBRATION_BINS, Ranking
from sqlml.run.ml.evaluation.decisions import measure_classes
from sqlml.run.ml.evaluation.resampling import divide
from sqlml.run.ml.evaluation.rows import Groups

if TYPE_CHECKING:
    from sqlml.run.ml.evaluation.resampling import Numbers


def ranking_rows(ranking: Ranking, has_probabilities: bool) -> dict[str, list[Row]]:
    """Return the rows of the tables of a ranking: points at the ends of its bins, which lie on the exact curves."""
    positive, negative = ranking.classes
    positives, negatives = positive.cumsum(), negative.cumsum()
    thresholds = (ranking.lowest_p if has_probabilities else ranking.score).tolist()
    total = positives[-1] + negatives[-1]
    recall = divide(positives, positives[-1:], np.nan).tolist()
    share = divide(positives + negatives, total, np.nan)
    precision = divide(positives, positives + negatives, np.nan)
    lift = divide(precision, divide(positives[-1:], total), np.nan)
    fallout = divide(negatives, negatives[-1:], np.nan)
    roc = [_row(threshold=None, false_positive_rate=0.0, true_positive_rate=0.0)]
    tables: dict[str, list[Row]] = {
        "roc_curve": [*roc, *_rows(threshold=thresholds, false_positive_rate=fallout, true_positive_rate=recall)],
        "pr_curve": list(_rows(threshold=thresholds, precision=precision, recall=recall)),
        "gains": list(_rows(threshold=thresholds, share_of_rows=share, share_of_positives=recall, lift=lift)),
    }
    if has_probabilities:
        weight = positive + negative
        tables["calibration"] = list(calibration_rows(ranking.p_bin, weight, ranking.sum_p, positive))
    return tables


def calibration_rows(p_bin: Numbers, weight: Numbers, sum_p: Numbers, hits: Numbers) -> Iterator[Row]:
    """Yield a row for each tenth of the probability that has rows.

    Args:
        p_bin: the tenth that each group of rows lies in.
        weight, sum_p, hits: their weight, the weighted sum of their probabilities, and the weight of those that came
            true.
    """
    in_bin = np.eye(CALIBRATION_BINS)[p_bin.astype(int)]
    weights, sums, true = weight @ in_bin, sum_p @ in_bin, hits @ in_bin
    for at in np.flatnonzero(weights > 0).tolist():
        yield _row(bin=at, weight=weights[at], mean_probability=sums[at] / weights[at], share=true[at] / weights[at])


def decision_rows(
    labels: Sequence[int], predicted: Sequence[int], weights: Numbers, classes: Sequence[str]
) -> dict[str, list[Row]]:
    """Return the rows of the confusion matrix and of the measures of each class."""
    matrix: dict[tuple[int, int], float] = {}
    for label, chosen, weight in zip(labels, predicted, weights.tolist(), strict=True):
        matrix[label, chosen] = matrix.get((label, chosen), 0.0) + weight
    confusion = [
        _row(label=classes[label], predicted=classes[chosen], weight=weight)
        for (label, chosen), weight in sorted(matrix.items())
    ]
    of = measure_classes(np.array(labels), np.array(predicted), weights, len(classes))
    by_class = [
        _row(
            **{"class": classes[at]},
            weight=of.actual[at],
            precision=of.precision[at],
            recall=of.recall[at],
            f_measure=of.f_measure[at],
            false_positive_rate=of.false_positive_rate[at],
        )
        for at in range(len(classes))
    ]
    return {"confusion_matrix": confusion, "classes": by_class}


def residual_rows(groups: Groups, centre: float) -> Iterator[Row]:
    """Yield a row for each bin of predictions.

    Args:
        groups: of one dataset and slice, of which those by `p_bin` count.
        centre: what was taken off labels and predictions.
    """
    is_binned = ~np.isnan(groups["p_bin"].astype(float))
    of = {name: values[is_binned].astype(float) for name, values in groups.items()}
    for at in np.argsort(of["p_bin"]).tolist():
        weight = of["sum_weights"][at]
        if not weight:
            continue
        mean = {name: of[f"sum_{name}"][at] / weight for name in ("prediction", "label", "error", "absolute", "square")}
        yield _row(
            bin=int(of["p_bin"][at]),
            rows=int(of["sum_n"][at]),
            mean_prediction=mean["prediction"] + centre,
            mean_label=mean["label"] + centre,
            mean_error=mean["error"],
            mae=mean["absolute"],
            rmse=mean["square"] ** 0.5,
        )


def _rows(**columns: Any) -> Iterator[Row]:
    lists = [values.tolist() if hasattr(values, "tolist") else values for values in columns.values()]
    for values in zip(*lists, strict=True):
        yield dict(zip(columns, values, strict=True))


def _row(**values: Any) -> Row:
    return {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}
