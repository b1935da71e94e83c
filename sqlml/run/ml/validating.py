"""Validates on folds: training rows in; metrics of rows that no fit has seen, and what is learnt from them, out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlml.ir.explanations import Row
from sqlml.ir.kept_trials import OpenTrials, no_trials
from sqlml.ir.state import Metric
from sqlml.run.ml.evaluation.thresholds import learn_threshold
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.fold_fits import FoldFits
from sqlml.run.ml.folds import deal_folds
from sqlml.run.ml.tuning.records import trial_facts, trial_rows
from sqlml.run.ml.tuning.trials import TaskOf, run_trials
from sqlml.run.tables import union_all

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class Validated:
    """What folds told.

    Attributes:
        task: with what was learnt on them.
        tables: rows of the tables of `ir.ml_tables` that they fill.
        facts: what a version remembers of them.
    """

    task: Task
    tables: Mapping[str, list[Row]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def validate_on_folds(task: Task, rows: DataFrame, task_of: TaskOf, open_trials: OpenTrials = no_trials) -> Validated:
    """Fit on each fold's rows, as far as the ML model asks for it: params first, then the threshold of the best.

    Args:
        rows: the training rows.
        task_of: gives what is fitted of a variant of the ML model.
        open_trials: gives what is known of the search on these rows, and keeps its trials.
    """
    ml_model = task.ml_model
    if not ml_model.has_folds:
        return Validated(task)
    tables: dict[str, list[Row]] = {}
    with ExitStack() as stack:
        folded = deal_folds(rows, task, stack)
        facts: dict[str, Any] = {"folds": dict(folded.facts)}
        fold_fits = FoldFits(folded, stack, ml_model.tuning)
        if ml_model.tuning is not None:
            searched = run_trials(task, ml_model.tuning, fold_fits, task_of, open_trials(folded.counted.digest))
            task, fits, measured = searched.task, searched.best.fits, searched.best.folds
            tables["trials"] = trial_rows(searched)
            facts["tuning"] = trial_facts(searched, ml_model.tuning) | {
                "features_made": fold_fits.features_made,
                "learnt": fold_fits.learnt,
            }
        else:
            fits = fold_fits.fit_all(task, is_measured=ml_model.is_cross_validated)
            measured = tuple(one.metrics for one in fits)
        if ml_model.is_cross_validated:
            tables["cross_validation"] = summarize_folds(measured)
        if ml_model.threshold_rule is not None:
            # Of a trial that an interrupted build fitted nothing is left but what was measured.
            fits = fits or fold_fits.fit_all(task, is_measured=False)
            scored = [one.fit.fitted.transform(one.unseen) for one in fits]
            every = union_all(scored)
            threshold = learn_threshold(every, ml_model.threshold_rule)
            task = replace(task, ml_model=replace(task.ml_model, threshold=threshold))
            facts["threshold"] = {"learnt": threshold, "by": asdict(ml_model.threshold_rule), "folds": len(fits)}
    return Validated(task, tables, facts, folded.counted.warnings)


def summarize_folds(folds: Sequence[Sequence[Metric]]) -> list[Row]:
    """Return a row for each metric and fold, and one without a fold for their mean and standard deviation (n - 1).

    A metric that some fold does not define has no mean.
    """
    rows: list[Row] = []
    names = dict.fromkeys(metric.metric for metrics in folds for metric in metrics)
    for name in names:
        found = [next((metric for metric in metrics if metric.metric == name), None) for metrics in folds]
        known = [metric for metric in found if metric is not None]
        if len(known) == len(folds):
            values = [metric.value for metric in known]
            counts = [metric.rows for metric in known if metric.rows is not None]
            total = sum(counts) if len(counts) == len(known) else None
            mean, spread = statistics.fmean(values), statistics.stdev(values)
            rows.append({"metric": name, "fold": None, "value": mean, "deviation": spread, "rows": total})
        rows += [
            {"metric": name, "fold": at, "value": metric.value, "deviation": None, "rows": metric.rows}
            for at, metric in enumerate(found, 1)
            if metric is not None
        ]
    return rows
