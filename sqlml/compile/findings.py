"""Collects what is doubtful about a project: findings in, diagnostics at the levels that the project sets out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlml.errors import CompileError, Shared, SqlmlError
from sqlml.ir.dag import Dag, MlNode, Node, SqlNode
from sqlml.ir.diagnostics import Diagnostic, Level, level_of
from sqlml.ir.location import SourceLocation


@dataclass(frozen=True, slots=True)
class Finding:
    """A `Diagnostic` (see `sqlml.ir.diagnostics`) whose level is not decided yet."""

    code: str
    what: str
    location: SourceLocation | None
    fix: str | None = None
    node_id: str = ""
    path: tuple[str, ...] = ()
    shared: Shared | None = None


def decide_levels(findings: Iterable[Finding], dag: Dag, errors: list[SqlmlError]) -> tuple[Diagnostic, ...]:
    """Return the findings that are no errors and are not to be ignored; those that are errors go to `errors`."""
    diagnostics: dict[tuple[str, str, SourceLocation | None], Diagnostic] = {}
    project = dag.project
    for found in findings:
        node = dag.nodes.get(found.node_id)
        level = level_of(found.code, project.diagnostics, project.target.diagnostics, _own_levels(node))
        if level == "error":
            error = CompileError(found.what, found.location, found.fix)
            error.code, error.shared = found.code, found.shared
            errors.append(error)
        elif level != "ignore":
            made = Diagnostic(
                found.code, level, found.what, found.location, found.fix, found.node_id, found.path, found.shared
            )
            diagnostics.setdefault((found.code, found.what, found.location), made)
    return tuple(diagnostics.values())


def _own_levels(node: Node | None) -> Mapping[str, Level]:
    """Return the levels that a node or its folder sets."""
    if isinstance(node, SqlNode):
        levels: Mapping[str, Level] = node.config.get("diagnostics") or {}
        return levels
    return node.ml_model.diagnostics if isinstance(node, MlNode) else {}


def ancestors_of(dag: Dag, node_ids: Iterable[str]) -> frozenset[str]:
    """Return `node_ids` and every node above them."""
    found: set[str] = set()
    todo = list(node_ids)
    while todo:
        node_id = todo.pop()
        if node_id not in found:
            found.add(node_id)
            todo += dag.nodes[node_id].parents
    return frozenset(found)


def ml_nodes(dag: Dag) -> Iterator[MlNode]:
    """Yield the ML models of `dag`."""
    yield from [node for node in dag.nodes.values() if isinstance(node, MlNode)]
