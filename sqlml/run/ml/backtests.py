"""Measures an ML model on windows of the past: rows and what is fitted in, one row a window out."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlml.ir.explanations import Row
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.fold_fits import FoldFits
from sqlml.run.ml.folds import deal_windows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def backtest(task: Task, rows: DataFrame) -> tuple[dict[str, list[Row]], tuple[str, ...]]:
    """Return the table of what each window measures of a fit on all before it, and warnings; none without `backtest:`.

    Params and threshold are those of `task`, whatever they were learnt from; all else is learnt anew for each window.

    Args:
        rows: all that the ML model is about, those held out too.
    """
    asked = task.ml_model.backtest
    found: list[Row] = []
    if asked is None:
        return {}, ()
    with ExitStack() as stack:
        folded = deal_windows(rows, task, asked, stack)
        fits = FoldFits(folded, stack)
        starts = folded.facts["from"]
        for window, start, end in zip(folded.folds, starts, [*starts[1:], None], strict=True):
            began = time.monotonic()
            # Of no rows there is nothing to measure.
            metrics = fits.fit(window, task, is_measured=True).metrics if window.validation_rows else ()
            found.append(
                {
                    "window": window.number,
                    "starts": start,
                    "ends": end,
                    "training_rows": window.training_rows,
                    "rows": window.validation_rows,
                    "metrics": {metric.metric: metric.value for metric in metrics},
                    "baseline": {metric.metric: metric.baseline for metric in metrics if metric.baseline is not None},
                    "seconds": round(time.monotonic() - began, 3),
                }
            )
    return {"backtest": found}, folded.counted.warnings
