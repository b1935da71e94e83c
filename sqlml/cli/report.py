"""What commands print when they are done: their results in, text or one JSON document on stdout out."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sqlml.errors import SqlmlError, format_error, merge_shared
from sqlml.ir.dag import SqlNode
from sqlml.ir.plan import Action, Compiled, Plan, Step
from sqlml.ir.results import Status
from sqlml.source_text import SourceText

if TYPE_CHECKING:
    from pathlib import Path

    from sqlml.build import Built
    from sqlml.compiling import CompiledProject
    from sqlml.debug import Fact
    from sqlml.init import WrittenSchemas
    from sqlml.ir.dag import Node
    from sqlml.ir.signatures import FeatureChange
    from sqlml.lineage import ColumnLineage
    from sqlml.plan import Planned, PlannedFeatures
    from sqlml.predict import Predicted
    from sqlml.show import Rows


def print_json(document: Any) -> None:
    """Print one JSON document; what JSON has no word for (a timestamp, a decimal, NaN) becomes text."""
    click.echo(json.dumps(_words(document), indent=1, default=str, allow_nan=False))


def _words(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _words(part) for key, part in value.items()}
    return [_words(part) for part in value] if isinstance(value, list | tuple) else value


def print_schemas(written: WrittenSchemas) -> None:
    """Print what was written, and the line that each YAML file lacks."""
    for file in written.files:
        click.echo(f"wrote {file}")
    for path, line in written.unlinked.items():
        click.echo(f"'{path}' does not point to it yet; put this at its top: {line}")


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a header, columns as wide as they need."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[number]) for row in cells)]) for number, name in enumerate(header)]
    for row in [list(header), *cells]:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."


def print_error(error: SqlmlError, project_dir: Path) -> None:
    """Print an error on stderr, with the user's own lines."""
    click.echo(format_error(error, lines_of=SourceText(project_dir)), err=True)


def print_diagnostics(compiled: Compiled) -> None:
    """Print diagnostics on stderr, so that --json stays one document."""
    lines_of = SourceText(compiled.dag.project.root)
    shown = []
    for found in compiled.diagnostics:
        error = SqlmlError(found.what, found.location, found.fix)
        error.code, error.severity = found.code, "note" if found.level == "note" else "warning"
        error.shared = found.shared
        shown.append(error)
    for error in merge_shared(shown):
        click.echo(format_error(error, lines_of), err=True)


def print_run(built: Built, is_json: bool) -> None:
    """Print the errors of a run and one line that counts how its steps ended."""
    from sqlml.persist.artifacts import run_results

    if is_json:
        print_json(run_results(built.plan, built.results))
        return
    print_diagnostics(built.plan.compiled)
    if built.plan.has_work:
        _print_deferred(built.plan)
    # Sources and predictions are read, never built: to count them as unchanged would only puzzle.
    steps = [step for step in built.plan.steps if step.node.kind not in ("source", "prediction")]
    selected = {step.node.id for step in steps if step.is_selected}
    results = [result for result in built.results.results if result.node_id in selected]
    errors = [result.error for result in results if result.error]
    lines_of = SourceText(built.plan.compiled.dag.project.root)
    for error in errors:
        click.echo("\n" + format_error(error, lines_of=lines_of), err=True)
    counts = Counter(result.status for result in results)
    if not built.plan.has_work and not errors and set(counts) <= {Status.KEPT, Status.WARN}:
        warned = f", {counts[Status.WARN]} data tests warn as before" if counts[Status.WARN] else ""
        click.echo(f"nothing to do: {len(results)} nodes are unchanged{warned} ({built.results.duration_s:.1f} s)")
        return
    words = {Status.SUCCESS: "done", Status.KEPT: "unchanged", Status.WARN: "warned", Status.FAIL: "failed"}
    said = ", ".join(f"{counts[status]} {words.get(status, status.value)}" for status in Status if counts[status])
    click.echo(f"\n{said} in {built.results.duration_s:.1f} s")


def print_plan(planned: Planned, is_json: bool) -> None:
    """Print each selected node with what build would do and why, then each ML model's features."""
    steps = [step for step in planned.plan.steps if step.is_selected]
    if is_json:
        features = {name: _features(entry) for name, entry in planned.features.items()}
        changes = {name: [_change(change) for change in entry.changes] for name, entry in planned.features.items()}
        fits = {name: asdict(entry) | {"total": entry.total} for name, entry in planned.fits.items()}
        steps_shown = [_step(step) for step in steps]
        verdicts = {name: asdict(verdict) for name, verdict in planned.verdicts.items()}
        print_json(
            {
                "steps": steps_shown,
                "verdicts": verdicts,
                "features": features,
                "feature_changes": changes,
                "fits": fits,
                "deferred": dict(planned.plan.deferred()),
            }
        )
        return
    print_diagnostics(planned.plan.compiled)
    marks = {Action.RUN: "+", Action.KEEP: "=", Action.DECIDE: "?"}
    shown = [step for step in steps if step.node.kind not in ("source", "prediction")]
    rows = [(marks[step.action], step.node.kind, step.node.name, _why(step)) for step in shown]
    print_table(("", "kind", "name", "why"), rows)
    _print_deferred(planned.plan)
    if planned.verdicts:
        click.echo("\nml models:")
    for name, verdict in planned.verdicts.items():
        click.echo(f"  {name}: {verdict}")
    for name, expected in planned.fits.items():
        if expected.total > 1 or expected.for_each is not None:
            click.echo(f"\n{name} takes {expected}")
    for name, entry in planned.features.items():
        click.echo(f"\nfeatures of {name}:")
        for line in _features(entry) or ["known once its training data is built"]:
            click.echo(f"  {line}")
        if entry.changes:
            click.echo(f"changed since version {entry.champion}, the champion:")
            for change in entry.changes:
                click.echo(f"  {change}")
    counts = Counter(step.action for step in shown)
    words = {Action.RUN: "to run (+)", Action.DECIDE: "that depend on a fit (?)", Action.KEEP: "unchanged (=)"}
    click.echo("\n" + ", ".join(f"{counts[action]} {said}" for action, said in words.items() if counts[action]))


def _print_deferred(plan: Plan) -> None:
    deferred = plan.deferred()
    if plan.deferral is not None:
        click.echo(f"\nread from target '{plan.deferral.target}':" + ("" if deferred else " nothing"))
    for name, what in deferred:
        click.echo(f"  {name}: {what}")


def _why(step: Step) -> str:
    failed = [f"gate {gate.gate} fails" for gate in step.gates if not gate.is_passed]
    return "; ".join([*step.reasons, *failed])


def _step(step: Step) -> dict[str, Any]:
    return {
        "node_id": step.node.id,
        "action": step.action.value,
        "reasons": list(step.reasons),
        "fingerprint": step.fingerprint.digest,
        "data_tests": [test.name for test in step.tests],
        "gates": [{"gate": gate.gate, "passed": gate.is_passed, "reason": gate.reason} for gate in step.gates],
    }


def _features(features: PlannedFeatures) -> list[str]:
    """Return a line for each feature: its transform, or its name if its type is not known yet; then notes on all."""
    described = {entry.column: entry.describe() for entry in features.transforms}
    later = "its type is known once its training data is built"
    return [*[described.get(name, f"{name}: {later}") for name in features.names or ()], *features.notes]


def _change(change: FeatureChange) -> dict[str, Any]:
    return {
        "change": change.sign,
        "feature": change.feature,
        "was": change.was or None,
        "now": change.now or None,
        "why": change.why or None,
    }


def print_compiled(compiled: CompiledProject, is_json: bool, is_timed: bool) -> None:
    """Print how many nodes were checked and where their SQL is; if asked, where the time went."""
    from sqlml.cli.timing_text import as_document, as_lines
    from sqlml.compiling import diagnostic_documents
    from sqlml.persist.artifacts import manifest

    if is_json:
        lines_of = SourceText(compiled.compiled.dag.project.root)
        found = diagnostic_documents(compiled.compiled.diagnostics, lines_of)
        timing = {"timing": as_document(compiled.aids)} if is_timed else {}
        print_json({**manifest(compiled.compiled), "diagnostics": found, **timing})
        return
    print_diagnostics(compiled.compiled)
    nodes = compiled.compiled.dag.nodes
    # Data tests and predictions come with the SQL model that they belong to.
    asked = [nodes[node_id] for node_id in compiled.selected if nodes[node_id].kind not in ("test", "prediction")]
    if len(asked) == 1 and isinstance(node := asked[0], SqlNode):
        click.echo(node.sql.text)
    else:
        click.echo(f"{len(nodes)} nodes compiled; their SQL is in {compiled.folder}")
    if is_timed:
        click.echo("\n".join(as_lines(compiled.aids)), err=True)


def print_refused(error: SqlmlError, project_dir: Path) -> None:
    """Print the errors of a project that cannot be compiled, as `compile --json` lists diagnostics."""
    from sqlml.compiling import diagnostic_documents, diagnostics_of

    print_json({"diagnostics": diagnostic_documents(diagnostics_of(error), SourceText(project_dir))})


def print_lineage(found: ColumnLineage, form: str) -> None:
    """Print the lineage of columns."""
    from sqlml.cli.lineage_text import as_document, as_dot, as_mermaid, as_tree

    if form == "json":
        print_json(as_document(found))
        return
    lines = {"tree": as_tree, "dot": as_dot, "mermaid": as_mermaid}[form](found)
    click.echo("\n".join(lines))


def print_nodes(nodes: Sequence[Node], is_json: bool) -> None:
    """Print the ids of nodes, one a line."""
    if is_json:
        print_json(
            [
                {"id": node.id, "name": node.name, "kind": node.kind, "path": node.path, "tags": list(node.tags)}
                for node in nodes
            ]
        )
        return
    for node in nodes:
        click.echo(node.id)


def print_rows(rows: Rows, is_json: bool) -> None:
    """Print rows as a table."""
    if is_json:
        documents = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        print_json({"node_id": rows.node_id, "columns": list(rows.columns), "rows": documents})
        return
    print_table(rows.columns, rows.rows)


def print_predicted(predicted: Predicted, is_json: bool) -> None:
    """Print what was scored, with what, to where."""
    version = predicted.version
    if is_json:
        document = {"ml_model": version.ml_model, "version": version.version}
        counts = {"rows": predicted.rows, "unpredicted": predicted.unpredicted}
        print_json({**document, **counts, "output": str(predicted.output)})
        return
    without = f", {predicted.unpredicted:,} of them without a prediction" if predicted.unpredicted else ""
    said = f"scored {predicted.rows:,} rows with {version.ml_model} version {version.version}{without}"
    click.echo(f"{said}: {predicted.output}")


def print_facts(facts: Sequence[Fact], is_json: bool) -> None:
    """Print what `sqlml debug` found."""
    if is_json:
        print_json({fact.name: {"value": fact.value, "is_good": fact.is_good} for fact in facts})
        return
    width = max(len(fact.name) for fact in facts)
    for fact in facts:
        click.echo(f"{fact.name.ljust(width)}  {fact.value}")
