"""What folds told of a version, as lines of text: the tables of a version in, what is printed out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlml.ir.explanations import Row
from sqlml.ir.metrics import METRICS
from sqlml.ir.trials import say_choice

Table = tuple[str, list[str], list[list[Any]]]
"""A title, a header and lines."""

_MINUTES = len("2026-01-31 23:59")
_NAMES = {"slice": "slice"}


def folds_tables(tables: Mapping[str, Sequence[Row]]) -> Iterator[Table]:
    """Yield what folds told, as far as a version has it."""
    if "cross_validation" in tables:
        yield _cross_validation(tables["cross_validation"])
    if "trials" in tables:
        yield _trials(tables["trials"])
    if "backtest" in tables:
        yield _backtest(tables["backtest"])


def _cross_validation(rows: Sequence[Row]) -> Table:
    """Return the metrics on folds: one line for each metric, one column for each fold."""
    of = "on folds of the training rows"
    if _slice(_NAMES, rows):
        # One number stands for each value.
        first = next((name for name in METRICS if any(row["metric"] == name for row in rows)), "")
        rows = [row for row in rows if row["metric"] == first]
        of += " (all metrics: --json, or ml_table('…', 'cross_validation'))"
    numbers = sorted({row["fold"] for row in rows if row["fold"] is not None})
    by_metric: dict[tuple[str, ...], dict[int | None, Row]] = {}
    for row in rows:
        by_metric.setdefault((*_slice(row, rows), row["metric"]), {})[row["fold"]] = row
    header = [*_slice(_NAMES, rows), "metric", "mean", "deviation", *[f"fold {number}" for number in numbers]]
    lines = [[*names, *_line(found, numbers)] for names, found in by_metric.items()]
    return of, header, lines


def _trials(rows: Sequence[Row]) -> Table:
    """Return the trials of a search: one line each, the best marked; of the searches of several values the best."""
    kept = ", + was kept from a build that was interrupted" if any(row["is_kept"] for row in rows) else ""
    of = f"trials on folds of the training rows (* is the best{kept})"
    if _slice(_NAMES, rows):
        rows = [row for row in rows if row["is_best"]]
        of = "best trials on folds of the training rows (all: --json, or ml_table('…', 'trials'))"
    header = ["", *_slice(_NAMES, rows), "trial", "params", "metric", "mean", "deviation", "seconds", "error"]
    lines = []
    for row in rows:
        params = say_choice(row["params"])
        values = [row["metric"], row["value"], row["deviation"], row["seconds"], row["error"]]
        shown = ["" if value is None else value for value in values]
        marks = ("*" if row["is_best"] else "") + ("+" if row["is_kept"] else "")
        lines.append([marks, *_slice(row, rows), row["trial"], params, *shown])
    return of, header, lines


def _backtest(rows: Sequence[Row]) -> Table:
    """Return the windows of a backtest: one line each, one column for each metric."""
    names = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    header = [*_slice(_NAMES, rows), "window", "starts", "ends", "training rows", "rows", *names]
    lines = []
    for row in rows:
        ends = "" if row["ends"] is None else row["ends"][:_MINUTES]
        values = [row["metrics"].get(name, "") for name in names]
        counts = [row["training_rows"], row["rows"]]
        lines.append([*_slice(row, rows), row["window"], row["starts"][:_MINUTES], ends, *counts, *values])
    return "backtest: each window by a fit on all that lies before it", header, lines


def _slice(row: Mapping[str, Any], rows: Sequence[Row]) -> list[str]:
    """Return the cell that says whose fitted model a row is about; none where there is one for all rows."""
    return [row["slice"]] if any(other["slice"] for other in rows) else []


def _line(found: Mapping[int | None, Row], numbers: Sequence[int]) -> list[Any]:
    whole = found.get(None, {})
    values = [whole.get("value"), whole.get("deviation"), *[found.get(number, {}).get("value") for number in numbers]]
    return ["" if value is None else value for value in values]
