"""What is printed of versions: a version and its tables in, text or one JSON document out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sqlml.cli.report import print_json, print_table

if TYPE_CHECKING:
    from sqlml.ir.explanations import Row
    from sqlml.ir.reproduction import Reproduction
    from sqlml.ir.state import Metric
    from sqlml.model import VersionInfo

_MOST_ROWS = 20


def print_versions(infos: Sequence[VersionInfo], is_json: bool) -> None:
    """Print one line for each version."""
    if is_json:
        print_json([_version(info) for info in infos])
        return
    if not infos:
        click.echo("no ml model has a version yet: run sqlml build")
        return
    rows = [
        (
            info.version.ml_model,
            info.version.version,
            _aliases(info),
            info.version.created_at,
            "passed" if info.version.has_passed else "failed",
            _headline(info),
        )
        for info in infos
    ]
    print_table(("ml model", "version", "alias", "created", "gates", "metric"), rows)


def print_version(info: VersionInfo, is_json: bool) -> None:
    """Print all that is known of a version."""
    from sqlml.cli.folds_text import folds_tables
    from sqlml.ir.explanations import EXPLANATIONS

    if is_json:
        print_json(_version(info))
        return
    version = info.version
    click.echo(f"{version.ml_model} version {version.version} ({_aliases(info) or 'no alias'})")
    click.echo(f"  estimator  {version.signature.estimator}\n  created    {version.created_at}")
    click.echo(f"  location   {version.location}")
    _print_learnt(version.facts)
    for gate in version.gates:
        click.echo(f"  gate       {gate.gate}: {'passed' if gate.is_passed else 'FAILED'} ({gate.reason})")
    for warning in version.facts.get("warnings", ()):
        click.echo(f"  warning    {warning}")
    if "for_each" in version.facts:
        _print_values(version.facts)
    click.echo()
    _print_metrics(version.metrics)
    for title, header, lines in folds_tables(info.tables):
        click.echo(f"\n{title}:")
        print_table(header, lines)
    click.echo()
    print_table(("feature", "type"), [(column.name, column.type) for column in version.signature.features])
    click.echo()
    print_table(("output", "type"), [(column.name, column.type) for column in version.signature.outputs])
    for name, rows in info.tables.items():
        if name in EXPLANATIONS:
            _print_explanation(name, rows)


def _print_learnt(facts: Mapping[str, Any]) -> None:
    """Print the threshold that was learnt, and of how many fitted models the version is if not of one."""
    if (threshold := facts.get("threshold")) is not None:
        rule = threshold["by"]
        what = f"the best {rule['maximize']}" if rule["maximize"] else "the least cost"
        click.echo(f"  threshold  {threshold['learnt']:.4g} ({what} on {threshold['folds']} folds)")
    if (parts := facts.get("for_each")) is not None:
        others = parts["others"]
        rest = f"; {others['values']} without ({others['rows']} rows)" if others["values"] else ""
        click.echo(f"  for each   {parts['column']}: {len(parts['values'])} fitted models{rest}")


def _print_values(facts: Mapping[str, Any]) -> None:
    """Print what is each value's own: its rows and what was learnt on folds of them."""
    from sqlml.ir.trials import say_choice

    own = {value: {**facts, **said} for value, said in facts["for_each"]["values"].items()}
    learnt = [name for name in ("threshold", "tuning") if any(name in said for said in own.values())]
    header = [facts["for_each"]["column"], "training rows", "held out"]
    header += [{"threshold": "threshold", "tuning": "params"}[name] for name in learnt]
    lines = []
    for value, said in own.items():
        line = [value, said["rows"]["training"], said["rows"]["holdout"]]
        if "threshold" in learnt:
            line.append(said["threshold"]["learnt"])
        if "tuning" in learnt:
            line.append(say_choice(said["tuning"]["params"]))
        lines.append(line)
    click.echo()
    print_table(header, lines)


_MEASURES = ("value", "rows", "low", "high", "baseline", "gain_low", "gain_high")


def _print_metrics(metrics: Sequence[Metric]) -> None:
    """Print the metrics of all rows, then of each slice the one number that stands for it."""
    from sqlml.ir.metrics import METRICS

    _print_measured([entry for entry in metrics if not entry.slice], ["dataset", "metric"])
    first = next((name for name in METRICS if any(entry.metric == name for entry in metrics)), "")
    parts = [entry for entry in metrics if entry.slice and entry.metric == first]
    if parts:
        click.echo("\nslices (all metrics: --json, or ml_table('…', 'metrics')):")
        _print_measured(parts, ["dataset", "slice", "metric"])


def _print_measured(metrics: Sequence[Metric], names: list[str]) -> None:
    """Print what was measured, without the columns that have no value in any."""
    names = [*names, "value"]
    names += [name for name in _MEASURES[1:5] if any(getattr(entry, name) is not None for entry in metrics)]
    print_table(names, [["" if (v := getattr(entry, name)) is None else v for name in names] for entry in metrics])


def _print_explanation(name: str, rows: Sequence[Row]) -> None:
    """Print the heaviest rows of a table that explains, without the columns that have no value in it."""
    from sqlml.ir.explanations import EXPLANATIONS

    weight = EXPLANATIONS[name].weight
    shown = sorted(rows, key=lambda row: -abs(row[weight] or 0)) if weight else rows
    columns = [column for column in rows[0] if any(row[column] is not None for row in rows)] if rows else []
    click.echo(f"\n{name}:" + (f" ({_MOST_ROWS} of {len(rows)} rows)" if len(rows) > _MOST_ROWS else ""))
    print_table(columns, [[row[column] for column in columns] for row in shown[:_MOST_ROWS]])


def print_moved(info: VersionInfo, is_json: bool) -> None:
    """Print which version is the champion now."""
    if is_json:
        print_json(_version(info))
        return
    pinned = any(alias.is_pinned for alias in info.aliases)
    note = " and stays it until someone promotes" if pinned else ""
    click.echo(f"version {info.version.version} is the champion of {info.version.ml_model} now{note}")
    click.echo("next: sqlml build (predictions follow the champion)")


def print_tagged(info: VersionInfo, is_json: bool) -> None:
    """Print the aliases that a version bears now."""
    if is_json:
        print_json(_version(info))
        return
    click.echo(f"version {info.version.version} of {info.version.ml_model}: {_aliases(info) or 'no alias'}")


def print_reproduced(found: Reproduction, is_json: bool) -> None:
    """Print whether a second fit of a version is the same."""
    if is_json:
        print_json({**asdict(found), "is_identical": found.is_identical})
        return
    said = "identical" if found.is_identical else "NOT the same"
    click.echo(f"version {found.version} of {found.ml_model}, fitted again from {', '.join(found.made_from)}: {said}")
    for note in found.notes:
        click.echo(f"  note: {note}")
    for part in found.parts:
        differs = f"differ: {', '.join(part.differs[:_MOST_ROWS])}" if part.differs else "identical"
        click.echo(f"  {part.name.ljust(13)}  {part.compared:,} compared, {differs}")


def _aliases(info: VersionInfo) -> str:
    return ", ".join(f"{alias.alias}{' (pinned)' if alias.is_pinned else ''}" for alias in info.aliases)


def _headline(info: VersionInfo) -> str:
    from sqlml.ir.metrics import headline

    shown = headline(info.version.metrics, "holdout") or headline(info.version.metrics, "training")
    return f"{shown.metric} {shown.value:.4f} ({shown.dataset})" if shown else ""


def _version(info: VersionInfo) -> dict[str, Any]:
    version = info.version
    return {
        "ml_model": version.ml_model,
        "version": version.version,
        "aliases": [{"alias": alias.alias, "pinned": alias.is_pinned} for alias in info.aliases],
        "created_at": version.created_at,
        "location": version.location,
        "estimator": version.signature.estimator,
        "gates": [
            {"gate": gate.gate, "passed": gate.is_passed, "value": gate.value, "reason": gate.reason}
            for gate in version.gates
        ],
        "metrics": [
            {name: getattr(entry, name) for name in ("dataset", "slice", "metric", *_MEASURES)}
            for entry in version.metrics
        ],
        "features": [{"name": column.name, "type": column.type} for column in version.signature.features],
        "outputs": [{"name": column.name, "type": column.type} for column in version.signature.outputs],
        "facts": dict(version.facts),
        **({"tables": {name: list(rows) for name, rows in info.tables.items()}} if info.tables else {}),
    }
