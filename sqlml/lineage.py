"""sqlml lineage: what a column is computed from, or what is computed from it, without a JVM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlml.build import Request, compile_project, load_dag, open_file_versions, remember
from sqlml.errors import CommandError, suggest
from sqlml.ir.dag import Dag, Node, TestNode
from sqlml.ir.lineage import EVERY, ColumnRef, Edge, Lineage

Direction = Literal["upstream", "downstream"]


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """What was asked for, and all that hangs on it.

    Attributes:
        starts: the columns asked for.
        names: node id to what a user calls it.
        steps: each column to its next ones in the direction asked for, with the edge; only what can be reached.
    """

    direction: Direction
    starts: tuple[ColumnRef, ...]
    names: dict[str, str]
    steps: dict[ColumnRef, tuple[tuple[ColumnRef, Edge], ...]]

    def title(self, ref: ColumnRef) -> str:
        """Return what a user calls a column: `flight_features.dep_delay`."""
        return f"{self.names[ref.node_id]}.{ref.column}"


def lineage(request: Request, name: str, direction: Direction = "upstream") -> ColumnLineage:
    """Follow a column, or each column of a node, through the project.

    Args:
        name: `NODE` or `NODE.COLUMN`; a node by its name or id.

    Raises:
        CommandError: there is no such node or column.
        SqlmlError: the project cannot be compiled.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        compiled = compile_project(dag, open_file_versions(dag.project, aids), aids, with_lineage=True)
    traced = compiled.lineage or Lineage({})
    starts = find_columns(dag, traced, name)
    names = {node.id: _title(node) for node in dag.nodes.values()}
    return ColumnLineage(direction, starts, names, _steps(traced, starts, direction))


def _title(node: Node) -> str:
    return node.id if node.kind == "prediction" else node.name


def find_columns(dag: Dag, traced: Lineage, name: str) -> tuple[ColumnRef, ...]:
    """Return the columns that `NODE` or `NODE.COLUMN` names.

    Raises:
        CommandError: there is none.
    """
    nodes = {
        known: node for node in dag.nodes.values() if not isinstance(node, TestNode) for known in (node.id, node.name)
    }
    if name in nodes:
        node = nodes[name]
        return tuple([ColumnRef(node.id, column) for column in traced.nodes[node.id].columns])
    head, _, column = name.rpartition(".")
    if head in nodes:
        node = nodes[head]
        columns = traced.nodes[node.id].columns
        found = next((own for own in columns if own.lower() == column.lower()), None)
        if found is None and EVERY in columns:
            found = column
        if found is None:
            raise CommandError(f"'{head}' has no column '{column}'", node.places.whole, suggest(column, columns))
        return (ColumnRef(node.id, found),)
    known = [node.name for node in nodes.values()]
    raise CommandError(f"there is no node '{head or name}'", fix=suggest(head or name, known, "there are"))


def _steps(
    traced: Lineage, starts: tuple[ColumnRef, ...], direction: Direction
) -> dict[ColumnRef, tuple[tuple[ColumnRef, Edge], ...]]:
    children = traced.children() if direction == "downstream" else {}
    steps: dict[ColumnRef, tuple[tuple[ColumnRef, Edge], ...]] = {}
    todo = list(starts)
    for ref in todo:
        if ref in steps:
            continue
        if direction == "downstream":
            # What reads any column of a node may read this one.
            names = dict.fromkeys((ref, ColumnRef(ref.node_id, EVERY)))
            steps[ref] = tuple([step for name in names for step in children.get(name, ())])
        else:
            steps[ref] = tuple([(edge.source, edge) for edge in traced.edges(ref)])
        todo += [following for following, _ in steps[ref]]
    return steps
