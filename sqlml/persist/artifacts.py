"""Writes what can be made again into `target/`: compiled SQL, manifest.json and run_results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sqlml import __version__
from sqlml.errors import format_error
from sqlml.ir.cache import Cache
from sqlml.ir.dag import (
    AlgorithmNode,
    MlNode,
    MlOutputNode,
    Node,
    PredictionNode,
    SeedNode,
    SourceNode,
    SqlNode,
    TestNode,
)
from sqlml.ir.diagnostics import Diagnostic
from sqlml.ir.estimators import estimator_of
from sqlml.ir.lineage import Edge, Kind, Lineage, NodeLineage, vector_of
from sqlml.ir.plan import Compiled, Plan
from sqlml.ir.project import ColumnSpec
from sqlml.ir.results import RunResults, StepResult
from sqlml.ir.signatures import ExpectedSignature
from sqlml.ir.state import Column
from sqlml.persist.target_files import write_file, write_folder

MANIFEST_VERSION = 1


def write_compiled(target: Path, compiled: Compiled, cache: Cache) -> None:
    """Write the SQL of every SQL model and data test to `target/compiled/`, under the path of the user's file."""
    texts: dict[str, str] = {}
    for node in compiled.dag.nodes.values():
        if isinstance(node, SqlNode):
            texts[node.sql.path] = node.sql.text
        elif isinstance(node, TestNode):
            texts[f"data_tests/{node.name}.sql"] = node.sql.text + "\n"
    write_folder(target / "compiled", texts, cache)


def write_manifest(target: Path, compiled: Compiled) -> None:
    """Write `target/manifest.json`: the whole project as it was compiled."""
    _write_json(target / "manifest.json", manifest(compiled))


def write_run_results(target: Path, plan: Plan, results: RunResults) -> None:
    """Write `target/run_results.json`: how each selected step ended."""
    _write_json(target / "run_results.json", run_results(plan, results))


def manifest(compiled: Compiled) -> dict[str, Any]:
    """Return the compiled project as one JSON-ready document, nodes by id."""
    project = compiled.dag.project
    return {
        "metadata": {
            "manifest_version": MANIFEST_VERSION,
            "sqlml_version": __version__,
            "project": project.name,
            "target": project.target.name,
            "schema": project.target.schema,
        },
        "nodes": {node.id: _node(node, compiled) for node in compiled.dag.nodes.values()},
        "children": compiled.dag.children(),
        "diagnostics": [diagnostic_document(found) for found in compiled.diagnostics],
    }


def diagnostic_document(found: Diagnostic) -> dict[str, Any]:
    """Return one diagnostic as JSON-ready data; `end_column` is known to editors only."""
    place = found.location
    return {
        "code": found.code,
        "level": found.level,
        "what": found.what,
        "fix": found.fix,
        "node_id": found.node_id or None,
        "file": place.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "path": list(found.path),
    }


def signature_document(signature: ExpectedSignature) -> dict[str, Any]:
    """Return what a fit would read and return as JSON-ready data; null is what only a fit or Spark can tell."""
    features, label = signature.features, signature.label
    return {
        "features": None if features is None else _typed(features),
        "label": None if label is None else _typed([label])[0],
        "outputs": _typed(signature.outputs),
        "has_all_outputs": signature.has_all_outputs,
    }


def _typed(columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [{"name": column.name, "type": column.type or None, "is_nullable": column.is_nullable} for column in columns]


def lineage_document(lineage: NodeLineage) -> dict[str, Any]:
    """Return the lineage of one node as JSON-ready data: columns as `[node id, column]`, by how they are reached."""
    return {
        "rows": [list(ref) for ref in lineage.rows],
        "columns": {column: _reached(edges) for column, edges in lineage.columns.items()},
    }


def _reached(edges: tuple[Edge, ...]) -> dict[str, Any]:
    reached: dict[str, Any] = {}
    for edge in edges:
        kind = "copy" if edge.is_copy and edge.kind is Kind.VALUE else edge.kind.value
        reached.setdefault(kind, []).append(list(edge.source))
    return reached


def run_results(plan: Plan, results: RunResults) -> dict[str, Any]:
    """Return a run as one JSON-ready document."""
    steps = {step.node.id: step for step in plan.steps}
    return {
        "metadata": {"sqlml_version": __version__, "run_id": results.run_id, "started_at": results.started_at},
        "duration_s": round(results.duration_s, 3),
        "exit_code": results.exit_code,
        "results": [
            {**step_result(result), "reasons": list(steps[result.node_id].reasons)}
            for result in results.results
            if steps[result.node_id].is_selected
        ],
    }


def step_result(result: StepResult) -> dict[str, Any]:
    """Return one step's end as JSON-ready data."""
    return {
        "node_id": result.node_id,
        "status": result.status.value,
        "duration_s": round(result.duration_s, 3),
        "rows": result.rows,
        "message": result.message,
        "error": format_error(result.error) if result.error else None,
        "metrics": dict(result.metrics),
    }


def _node(node: Node, compiled: Compiled) -> dict[str, Any]:
    columns, types = compiled.columns.get(node.id), compiled.types.get(node.id)
    fingerprint = compiled.fingerprints.get(node.id)
    document: dict[str, Any] = {
        "name": node.name,
        "kind": node.kind,
        "path": node.path,
        "tags": list(node.tags),
        "parents": list(node.parents),
        "relation": node.relation or None,
        "columns": None if columns is None else list(columns),
        "types": None if types is None else list(types),
        "fingerprint": fingerprint.digest if fingerprint else None,
    }
    traced = compiled.lineage or Lineage({})
    lineage, vector = traced.nodes.get(node.id), traced.nodes.get(vector_of(node.id))
    if lineage is not None and node.parents:
        document["lineage"] = lineage_document(lineage)
        if vector is not None:
            document["lineage"] |= {
                "slots": lineage_document(vector)["columns"],
                "slots_of_version": traced.versions[vector_of(node.id)],
            }
    return document | _details(node, compiled)


def _details(node: Node, compiled: Compiled) -> dict[str, Any]:
    if isinstance(node, SourceNode):
        source = node.source
        return {"description": source.description, "files": source.path, "declared": _declared(source.columns)}
    if isinstance(node, SeedNode):
        return {"description": node.seed.description, "declared": _declared(node.seed.columns)}
    if isinstance(node, SqlNode):
        sql_model = node.sql_model
        return {
            "description": sql_model.description,
            "materialized": node.materialized,
            "compiled_path": f"target/compiled/{node.sql.path}",
            "declared": _declared(sql_model.columns),
            "has_contract": node.has_contract,
        }
    if isinstance(node, MlNode):
        features = compiled.features.get(node.id)
        return {
            "description": node.ml_model.description,
            "estimator": node.ml_model.estimator,
            "params": dict(node.ml_model.params),
            "label": node.ml_model.label,
            "roles": dict(node.ml_model.roles),
            "features": None if features is None else list(features),
            "has_contract": node.ml_model.has_contract,
            "signature": signature_document(compiled.signatures.get(node.id, ExpectedSignature())),
            "margin": estimator_of(node.ml_model).margin or None,
        }
    if isinstance(node, PredictionNode):
        return {"ml_model": node.ml_model, "scored": node.scored, "explain": node.explain}
    if isinstance(node, MlOutputNode):
        output = node.output
        return {
            "description": output.description,
            "ml_model": node.ml_model,
            "output": output.kind,
            "declared": _declared(output.columns),
        }
    if isinstance(node, AlgorithmNode):
        entry = node.algorithm_relation
        return {
            "description": entry.description,
            "algorithm": entry.algorithm,
            "params": dict(entry.params),
            "roles": {column: role for role, column in entry.columns_read.items()},
            "declared": _declared(entry.columns),
        }
    if isinstance(node, TestNode):
        return {"owner": node.owner, "test": node.test.kind, "severity": node.test.severity}
    return {}


def _declared(columns: tuple[ColumnSpec, ...]) -> list[dict[str, Any]]:
    return [
        {"name": column.name, "data_type": column.data_type, "description": column.description} for column in columns
    ]


def to_json(document: Any) -> bytes:
    """Return a document as JSON, indented, with a newline at its end."""
    # A value of a param or an argument may be a date; nothing is lost by writing it as text.
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=1) + b"\n"


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    write_file(path, to_json(document))
