"""What a version keeps of a search: its trials in, rows of the table `trials` and facts out."""

from __future__ import annotations

import json
import statistics
from typing import Any

from sqlml.ir.explanations import Row
from sqlml.ir.tuning import Tuning
from sqlml.run.ml.tuning.trials import Searched, Trial


def trial_rows(searched: Searched) -> list[Row]:
    """Return a row for each trial, in the order of their numbers."""
    return [
        {
            "trial": trial.number,
            "state": "failed" if trial.error else "complete",
            "is_best": trial.number == searched.best.number,
            "is_kept": trial.is_kept,
            "params": {name: _text(value) for name, value in trial.choice.items()},
            "metric": trial.metric or None,
            "value": trial.value,
            "deviation": _deviation(trial),
            "folds": list(trial.values) or None,
            "seconds": round(trial.duration_s, 3),
            "error": trial.error or None,
        }
        for trial in searched.trials
    ]


def trial_facts(searched: Searched, tuning: Tuning) -> dict[str, Any]:
    """Return what a version remembers of the search."""
    best = searched.best
    return {
        "search": tuning.search,
        "metric": best.metric,
        "trials": len(searched.trials),
        "failed": sum(1 for trial in searched.trials if trial.error),
        "kept": sum(1 for trial in searched.trials if trial.is_kept),
        "stopped": searched.stopped,
        "best": best.number,
        "params": {name: _text(value) for name, value in best.choice.items()},
        "value": best.value,
        "deviation": _deviation(best),
    }


def _deviation(trial: Trial) -> float | None:
    return statistics.stdev(trial.values) if trial.values else None


def _text(value: Any) -> str:
    """Return a value as YAML would have it."""
    return value if isinstance(value, str) else json.dumps(value)
