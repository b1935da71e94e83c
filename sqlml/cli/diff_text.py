"""How two versions differ, as text or as one JSON document."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from sqlml.cli.report import print_json, print_table
from sqlml.ir.drift import LARGE, NOTABLE, Drift
from sqlml.ir.prediction_differences import SHARES, PartDifference, PredictionDifference
from sqlml.ir.version_differences import Change, MetricDifference, VersionDifference

_MOST = 10
_WIDEST = 60


def print_difference(found: VersionDifference, is_json: bool) -> None:
    """Print what differs between two versions."""
    if is_json:
        print_json(as_document(found))
        return
    click.echo(f"{found.ml_model}: version {found.was} -> {found.now}")
    for note in found.notes:
        click.echo(f"  note: {note}")
    for title, changes in (
        ("spec", found.spec),
        ("params", found.params),
        ("features", found.features),
        ("data", found.data),
        ("software, settings, commit", found.circumstances),
    ):
        _print_changes(title, changes)
    _print_sql(found.sql)
    _print_metrics(found.metrics)
    if found.importances:
        _print_changes(found.weighed_by, found.importances[:_MOST], of=len(found.importances))
    _print_drift(found.drift)
    if found.predictions is not None:
        _print_predictions(found.predictions)


def _print_changes(title: str, changes: Sequence[Change], of: int = 0) -> None:
    if changes:
        click.echo(f"\n{title}:" + (f" ({len(changes)} of {of})" if of > len(changes) else ""))
        print_table(("", "was", "now"), [(change.what, _said(change.was), _said(change.now)) for change in changes])


def _said(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _print_sql(changes: Sequence[Change]) -> None:
    for change in changes:
        click.echo(f"\nSQL of {change.what}:")
        was, now = (str(text or "").strip().splitlines() for text in (change.was, change.now))
        # Without the two lines of file names that a patch would need.
        for line in list(difflib.unified_diff(was, now, lineterm="", n=1))[2:]:
            click.echo(f"  {line}")


def _print_metrics(metrics: Sequence[MetricDifference]) -> None:
    # Every metric of every slice would be hundreds of lines.
    shown = [
        entry
        for entry in metrics
        if entry.was != entry.now and (not entry.slice or (entry.is_apart and entry.metric == metrics[0].metric))
    ]
    if not shown:
        return
    are_more = any(entry.slice for entry in metrics)
    click.echo("\nmetrics (95 % interval; '*': the intervals do not meet):")
    rows = [
        (
            f"{entry.dataset} {entry.slice}".strip(),
            entry.metric,
            _measured(entry.was),
            _measured(entry.now),
            "*" if entry.is_apart else "",
        )
        for entry in shown
    ]
    print_table(("rows", "metric", "was", "now", ""), rows)
    if are_more:
        click.echo("of slices, the first metric where its intervals do not meet; all: --json")


def _measured(metric: Any) -> str:
    if metric is None:
        return "-"
    interval = "" if metric.low is None else f" ({metric.low:.4g} to {metric.high:.4g})"
    return f"{metric.value:.4g}{interval}"


def _print_drift(drift: Sequence[Drift]) -> None:
    moved = [entry for entry in drift if entry.psi is not None and entry.psi >= NOTABLE]
    if not moved:
        return
    click.echo(f"\nfeatures that drifted (population stability index, from {NOTABLE:g}; {LARGE:g} is large):")
    rows = [(entry.name, f"{entry.psi:.3f}", _described(entry.was), _described(entry.now)) for entry in moved]
    print_table(("feature", "index", "was", "now"), rows)


def _described(row: Any) -> str:
    nulls = f", {row['null_share']:.1%} null" if row["null_share"] else ""
    if row["mean"] is not None:
        return f"mean {row['mean']:.4g}, median {row['p50']:.4g}{nulls}"
    top = ", ".join(f"{entry['value']} {entry['share']:.0%}" for entry in (row["top"] or ())[:3])
    return f"{top}{nulls}"


def _print_predictions(found: PredictionDifference) -> None:
    whole = found.whole
    click.echo(f"\npredictions on {found.on} ({whole.rows:,} rows):")
    if whole.changed is not None:
        click.echo(f"  {whole.changed:,} rows change class ({whole.changed / max(whole.rows, 1):.1%})")
        for was, now, count in found.moves[:_MOST]:
            click.echo(f"    {was} -> {now}: {count:,}")
    if whole.missing:
        click.echo(f"  {whole.missing:,} rows have no prediction of one of them")
    if found.quantiles and whole.mean is not None and whole.mean_absolute is not None:
        mean = f"mean {whole.mean:+.4g}, mean size {whole.mean_absolute:.4g}"
        click.echo(f"  {found.measured}, now - was: {mean}")
        cuts = [f"{share:.0%} {value:+.4g}" for share, value in zip(SHARES, found.quantiles, strict=True)]
        click.echo(f"    {', '.join(cuts)}")
    if found.slices:
        click.echo(f"\nslices where predictions differ most ({min(_MOST, len(found.slices))} of {len(found.slices)}):")
        print_table(("slice", "rows", "changed", "mean", "mean size"), [_part(part) for part in found.slices[:_MOST]])


def _part(part: PartDifference) -> tuple[Any, ...]:
    changed = "" if part.changed is None else f"{part.changed / max(part.rows, 1):.1%}"
    numbers = ["" if value is None else value for value in (part.mean, part.mean_absolute)]
    return (part.slice, part.rows, changed, *numbers)


def as_document(found: VersionDifference) -> dict[str, Any]:
    """Return what differs as JSON-ready data."""
    document = asdict(found)
    for metric, entry in zip(document["metrics"], found.metrics, strict=True):
        for side in ("was", "now"):
            if metric[side] is not None:
                metric[side] = {key: metric[side][key] for key in ("value", "rows", "low", "high")}
        metric["is_apart"] = entry.is_apart
    if found.predictions is not None:
        cuts = zip(SHARES, found.predictions.quantiles, strict=False)
        document["predictions"]["quantiles"] = [{"share": share, "difference": value} for share, value in cuts]
        moves = [dict(zip(("was", "now", "rows"), move, strict=True)) for move in found.predictions.moves]
        document["predictions"]["moves"] = moves
    return document
