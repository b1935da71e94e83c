"""Measures a fitted model: its scored rows by dataset in, metrics and tables out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.explanations import Row
from sqlml.ir.state import Metric
from sqlml.run.ml.evaluation.binary import Ranking, all_alike, bin_scores, binary_expressions, ranking_values
from sqlml.run.ml.evaluation.clusters import cluster_metrics
from sqlml.run.ml.evaluation.curves import calibration_rows, decision_rows, ranking_rows, residual_rows
from sqlml.run.ml.evaluation.measured import Measured
from sqlml.run.ml.evaluation.multiclass import (
    as_baseline,
    decision_expressions,
    draw_decisions,
    group_decisions,
    multiclass_values,
    shares_of,
)
from sqlml.run.ml.evaluation.regression import BUCKETS as ERROR_BUCKETS
from sqlml.run.ml.evaluation.regression import (
    Constant,
    baseline_values,
    draw_sums,
    error_values,
    group_errors,
    learn_constant,
    of_known_labels,
    regression_expressions,
    sums_of,
)
from sqlml.run.ml.evaluation.resampling import REPLICATES, SLICE_REPLICATES
from sqlml.run.ml.evaluation.rows import Groups, collect_groups, rows_to_measure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

TRAINING = "training"
Part = tuple[str, str]
"""A dataset and a slice."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a fitted model.

    Attributes:
        classes: texts of the label's values, by class index; empty unless a classifier.
        tops: the shares of rows that metrics of the top are about.
        gated: the datasets whose metrics get intervals.
        has_median: whether the trivial model of a regression predicts the median and not the mean.
    """

    entry: Estimator
    classes: tuple[str, ...] = ()
    tops: tuple[float, ...] = ()
    gated: frozenset[str] = frozenset({"holdout"})
    has_median: bool = False

    def replicates(self, part: Part) -> int:
        """Return how many replicates are drawn of a slice of a dataset."""
        dataset, name = part
        return 0 if dataset not in self.gated else SLICE_REPLICATES if name else REPLICATES


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        tables: rows of the tables of `ir.explanations` that evaluation fills.
        shares: of a classifier, each class's share of the training rows' weight.
    """

    metrics: tuple[Metric, ...]
    tables: Mapping[str, list[Row]] = field(default_factory=dict)
    shares: tuple[float, ...] = ()


def evaluate(scored: Mapping[str, DataFrame], fitted: Any, question: Question) -> Evaluation:
    """Return what the scored rows measure; one that they do not define is left out.

    Args:
        scored: dataset to what the estimator reads and the columns that Spark's fitted model adds; `training` is first.
        fitted: Spark's fitted model.
    """
    entry = question.entry
    if entry.problem is Problem.CLASSIFICATION:
        is_ranked = len(question.classes) == 2 and entry.returns.has_classes
        return _rankings(scored, question) if is_ranked else _decisions(scored, question)
    if entry.problem is Problem.REGRESSION:
        return _errors(scored, fitted, question)
    if entry.returns is Returns.RATING:
        # Of who or what the fit did not see there is no prediction, and so no error.
        return _errors(
            {dataset: rows.where("NOT isnan(prediction)") for dataset, rows in scored.items()}, fitted, question
        )
    if entry.problem in (Problem.RECOMMENDATION, Problem.PATTERNS):
        return Evaluation(())
    metrics: list[Metric] = []
    for dataset, rows in scored.items():
        # Spark's own evaluators read them several times.
        kept = rows.persist()
        metrics += cluster_metrics(dataset, kept, fitted, entry.returns)
        kept.unpersist()
    return Evaluation(tuple(metrics))


class _Found:
    """Metrics and tables, as they are found slice by slice."""

    def __init__(self) -> None:
        self.metrics: list[Metric] = []
        self.tables: dict[str, list[Row]] = {}

    def add(self, part: Part, measured: Measured, tables: Mapping[str, list[Row]]) -> None:
        """Keep what was measured of one slice."""
        dataset, name = part
        self.metrics += measured.metrics(dataset, name)
        for table, rows in tables.items():
            self.tables.setdefault(table, []).extend({"dataset": dataset, "slice": name, **row} for row in rows)

    def result(self, shares: Numbers | None = None) -> Evaluation:
        """Return all that was found."""
        return Evaluation(tuple(self.metrics), self.tables, () if shares is None else tuple(shares.tolist()))


def _rankings(scored: Mapping[str, DataFrame], question: Question) -> Evaluation:
    has_p = question.entry.returns is Returns.PROBABILITIES
    rows = rows_to_measure(scored, binary_expressions(has_p, question.entry.ranks_by))
    groups = collect_groups(bin_scores(rows), ("bin", "p_bin"))
    rankings = {part: Ranking.of(one) for part, one in groups.items()}
    positives, negatives = rankings[TRAINING, ""].classes.sum(axis=-1)
    share = float(positives / (positives + negatives))
    found = _Found()
    for part, ranking in rankings.items():
        tables = ranking_rows(ranking, has_p)
        tables |= decision_rows([1, 1, 0, 0], [1, 0, 1, 0], ranking.cells.sum(axis=-1), question.classes)
        found.add(part, _ranked(ranking, share, question, question.replicates(part)), tables)
    return found.result(np.array([1 - share, share]))


def _ranked(ranking: Ranking, share: float, question: Question, replicates: int) -> Measured:
    has_p = question.entry.returns is Returns.PROBABILITIES
    trivial = ranking.as_baseline(share)

    def values(of: Ranking, cells: Numbers) -> dict[str, Numbers]:
        return ranking_values(of, cells, question.tops, has_p)

    drawn: dict[str, Numbers] = {}
    trivial_drawn: dict[str, Numbers] = {}
    if replicates:
        cells = ranking.draw(replicates)
        drawn = values(ranking, cells)
        classes = np.stack([cells[:, 0] + cells[:, 1], cells[:, 2] + cells[:, 3]], axis=1).sum(axis=-1, keepdims=True)
        trivial_drawn = values(trivial, all_alike(classes, share > 0.5))
    return Measured(
        ranking.rows,
        _first(values(ranking, ranking.cells[None])),
        ranking.areas,
        _first(values(trivial, trivial.cells[None])),
        drawn,
        trivial_drawn,
    )


def _decisions(scored: Mapping[str, DataFrame], question: Question) -> Evaluation:
    has_p = question.entry.returns is Returns.PROBABILITIES
    rows = rows_to_measure(scored, decision_expressions(has_p))
    groups = collect_groups(group_decisions(rows), ("label", "predicted", "p_bin"))
    training = groups[TRAINING, ""]
    totals: dict[int, float] = {}
    for label, weight in zip(training["label"].tolist(), training["weight_sum"].tolist(), strict=True):
        totals[label] = totals.get(label, 0.0) + weight
    shares = shares_of(totals, len(question.classes))
    found = _Found()
    for part, one in groups.items():
        own = one["weight_sum"]
        tables = decision_rows(one["label"].tolist(), one["predicted"].tolist(), own, question.classes)
        if has_p:
            hits = np.where(one["label"] == one["predicted"], own, 0.0)
            tables["calibration"] = list(calibration_rows(one["p_bin"], own, one["sum_p"], hits))
        found.add(part, _decided(one, shares, question, question.replicates(part)), tables)
    return found.result(shares)


def _decided(groups: Groups, shares: Numbers, question: Question, replicates: int) -> Measured:
    has_p, classes = question.entry.returns is Returns.PROBABILITIES, len(question.classes)
    trivial = as_baseline(groups, shares)

    def values(of: Groups, weights: Numbers) -> dict[str, Numbers]:
        return multiclass_values(of, weights, classes, has_p)

    own = groups["weight_sum"][None]
    weights = draw_decisions(groups, replicates) if replicates else None
    return Measured(
        int(groups["n"].sum()),
        _first(values(groups, own)),
        {},
        _first(values(trivial, own)),
        {} if weights is None else values(groups, weights),
        {} if weights is None else values(trivial, weights),
    )


def _errors(scored: Mapping[str, DataFrame], fitted: Any, question: Question) -> Evaluation:
    constant = learn_constant(scored[TRAINING], question.has_median)
    quantiles: tuple[float, ...] = ()
    if question.entry.returns is Returns.QUANTILES:
        quantiles = tuple(float(share) for share in fitted.getQuantileProbabilities())
    known = {dataset: of_known_labels(rows) for dataset, rows in scored.items()}
    rows = rows_to_measure(known, regression_expressions(quantiles), ERROR_BUCKETS)
    groups = collect_groups(group_errors(rows, constant, quantiles), ("bucket", "p_bin"))
    found = _Found()
    for part, one in groups.items():
        found.add(part, _erred(one, question.replicates(part)), {"residuals": _residuals(one, constant)})
    return found.result()


def _residuals(groups: Groups, constant: Constant) -> list[Row]:
    return list(residual_rows(groups, constant.value))


def _erred(groups: Groups, replicates: int) -> Measured:
    sums = sums_of(groups)
    is_bucket = ~np.isnan(groups["bucket"].astype(float))
    total = sums.sum(axis=0)[None]
    drawn = draw_sums(sums, replicates) if replicates else None
    return Measured(
        int(groups["sum_n"][is_bucket].sum()),
        _first(error_values(total)),
        {},
        _first(baseline_values(total)),
        {} if drawn is None else error_values(drawn),
        {} if drawn is None else baseline_values(drawn),
    )


def _first(values: Mapping[str, Numbers]) -> dict[str, float]:
    return {name: float(value[0]) for name, value in values.items()}
