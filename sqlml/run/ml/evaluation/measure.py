"""Measures a fit: what was fitted and rows that it has not seen in, metrics and tables out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlml.ir.estimators import Problem
from sqlml.ir.explanations import Row
from sqlml.ir.gates import gated_datasets, measured_tops
from sqlml.ir.state import Metric
from sqlml.run.ml.checks import HOLDOUT, TRAINING
from sqlml.run.ml.evaluation.evaluate import Evaluation, Question, evaluate
from sqlml.run.ml.evaluation.permutation import importance_rows, shuffle_features
from sqlml.run.ml.feature_checks import check_slots
from sqlml.run.ml.fit_failures import fit_failures
from sqlml.run.ml.fitting import Fit, Task
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.ranking import rank_metrics
from sqlml.run.ml.recommend import Ids
from sqlml.run.tables import union_all

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def measure(fits: Sequence[Fit], held_out: Sequence[DataFrame] | None, stack: ExitStack) -> Evaluation:
    """Return what fits, each of other rows, are measured by together: on the rows that each was fitted on and held out.

    Args:
        held_out: those of each fit, as its estimator reads them; None: none are.
        stack: frees what is kept.
    """
    scored = {TRAINING: transform_each(fits, [fit.prepared.features for fit in fits])}
    if held_out is not None:
        for fit, unseen in zip(fits, held_out, strict=True):
            _check_unseen(fit, unseen)
        scored[HOLDOUT] = transform_each(fits, held_out)
    fit = fits[0]
    question = _question(fit.task)
    with ExitStack() as guards:
        for one in fits:
            guards.enter_context(
                fit_failures(one.prepared.features, one.task.ml_model, one.task.entry, one.stages.slots)
            )
        measured = evaluate(scored, fit.fitted, question)
    if held_out is None or fit.task.entry.problem is not Problem.RECOMMENDATION:
        return measured
    ranked = _rank(fit, persisted(stack, held_out[0]), HOLDOUT, question)
    return replace(measured, metrics=(*measured.metrics, *ranked))


def transform_each(fits: Sequence[Fit], rows: Sequence[DataFrame]) -> DataFrame:
    """Return the rows of all fits, each scored by its own."""
    scored: list[DataFrame] = [fit.fitted.transform(own) for fit, own in zip(fits, rows, strict=True)]
    return union_all(scored)


def measure_fold(fit: Fit, unseen: DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of rows that a fit has not seen, without intervals; `unseen` are kept."""
    _check_unseen(fit, unseen)
    question = replace(_question(fit.task), gated=frozenset())
    measured = evaluate({TRAINING: fit.fitted.transform(unseen)}, fit.fitted, question).metrics
    is_ranking = fit.task.entry.problem is Problem.RECOMMENDATION
    return (*measured, *_rank(fit, unseen, TRAINING, question)) if is_ranking else measured


def _check_unseen(fit: Fit, rows: DataFrame) -> None:
    """Refuse rows that the fitted model cannot read."""
    if fit.task.entry.reads_features:
        check_slots(rows, fit.task.ml_model, fit.task.entry, fit.stages.slots)


def _rank(fit: Fit, unseen: DataFrame, dataset: str, question: Question) -> tuple[Metric, ...]:
    ids = Ids(fit.stages.stages[-1], fit.fitted)
    return rank_metrics(ids, fit.task.ml_model, fit.prepared.features, unseen, dataset=dataset, question=question)


def permute(held_out: DataFrame, count: int, fit: Fit) -> list[Row]:
    """Return how much worse the fit gets on held-out rows with each of its features shuffled."""
    names = [transform.column for transform in fit.task.transforms]
    shuffled = fit.read(shuffle_features(held_out, names, count))
    question = replace(_question(fit.task), gated=frozenset())
    return importance_rows(evaluate({TRAINING: fit.fitted.transform(shuffled)}, fit.fitted, question).metrics)


def _question(task: Task) -> Question:
    ml_model = task.ml_model
    return Question(
        task.entry,
        tuple(class_text(value) for value in task.classes),
        measured_tops(ml_model),
        gated_datasets(ml_model),
        has_median=ml_model.baseline == "median",
    )
