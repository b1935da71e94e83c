"""sqlml lineage: what a column is computed from, or what is computed from it, without a JVM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlml.build import (
    Request,
    compile_project,
    load_dag,
    open_file_versions,
    read_champions,
    remember,
    trace_lineage,
)
from sqlml.errors import CommandError, suggest
from sqlml.ir.dag import Dag, Node, TestNode
from sqlml.ir.lineage import EVERY, ColumnRef, Edge, Lineage, owner_of, vector_of

Direction = Literal["upstream", "downstream"]
Steps = dict[ColumnRef, tuple[tuple[ColumnRef, Edge], ...]]

_SHOWN_SLOTS = 3


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """What was asked for, and all that hangs on it.

    Attributes:
        starts: the columns asked for.
        names: node id to what a user calls it.
        steps: each column to its next ones in the direction asked for, with the edge; only what can be reached.
        alike: each slot of a vector to all of them that come from the same features, itself included, in order.
        versions: id of each vector to the version whose slots these are; None: no fit has made them yet.
    """

    direction: Direction
    starts: tuple[ColumnRef, ...]
    names: dict[str, str]
    steps: Steps
    alike: dict[ColumnRef, tuple[ColumnRef, ...]]
    versions: dict[str, int | None]

    def title(self, ref: ColumnRef) -> str:
        """Return what a user calls a column: `flight_features.dep_delay`; slots that are alike: `late[carrier=UA]`."""
        name = self.names[owner_of(ref.node_id)]
        return f"{name}[{self.label(ref)}]" if ref in self.alike else f"{name}.{ref.column}"

    def label(self, ref: ColumnRef) -> str:
        """Return a column's name; of slots that are alike the first ones."""
        names = [one.column for one in self.alike.get(ref, (ref,))]
        more = len(names) - _SHOWN_SLOTS
        return ", ".join(names if more <= 1 else [*names[:_SHOWN_SLOTS], f"… {more} more"])

    def group(self, ref: ColumnRef) -> ColumnRef:
        """Return the column that stands for all that are alike."""
        return self.alike.get(ref, (ref,))[0]

    def merged(self, ref: ColumnRef) -> tuple[tuple[ColumnRef, Edge], ...]:
        """Return the next columns of one, those that are alike once."""
        found = {(self.group(following), edge.kind): edge for following, edge in reversed(self.steps.get(ref, ()))}
        return tuple([(following, edge) for (following, _), edge in reversed(found.items())])


def lineage(request: Request, name: str, direction: Direction = "upstream") -> ColumnLineage:
    """Follow a column, or each column of a node, through the project.

    Args:
        name: `NODE`, `NODE.COLUMN` or, of an ML model or a prediction, `NODE[SLOT]`; a node by its name or id.

    Raises:
        CommandError: there is no such node or column.
        SqlmlError: the project cannot be compiled.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        compiled = compile_project(dag, open_file_versions(dag.project, aids), aids, with_lineage=True)
        compiled = trace_lineage(compiled, read_champions(dag, aids))
    traced = compiled.lineage or Lineage({})
    starts = find_columns(dag, traced, name)
    names = {node.id: _title(node) for node in dag.nodes.values()}
    steps = _steps(traced, starts, direction)
    reached = {node_id for node_id, _ in steps}
    versions = {node_id: version for node_id, version in traced.versions.items() if node_id in reached}
    return ColumnLineage(direction, starts, names, steps, _alike(traced, steps), versions)


def _title(node: Node) -> str:
    return node.id if node.kind == "prediction" else node.name


def find_columns(dag: Dag, traced: Lineage, name: str) -> tuple[ColumnRef, ...]:
    """Return the columns that `NODE`, `NODE.COLUMN` or `NODE[SLOT]` names.

    Raises:
        CommandError: there is none.
    """
    nodes = {
        known: node for node in dag.nodes.values() if not isinstance(node, TestNode) for known in (node.id, node.name)
    }
    if name in nodes:
        node = nodes[name]
        return tuple([ColumnRef(node.id, column) for column in traced.nodes[node.id].columns])
    head, bracket, slot = name.removesuffix("]").partition("[")
    if bracket and head in nodes:
        return (_find_slot(nodes[head], traced, slot),)
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


def _find_slot(node: Node, traced: Lineage, slot: str) -> ColumnRef:
    vector = traced.nodes.get(vector_of(node.id))
    if vector is None:
        fix = "name a column: NODE.COLUMN; ML models and predictions have slots, where their features are known"
        raise CommandError(f"'{_title(node)}' has no feature vector", node.places.whole, fix)
    if slot not in vector.columns:
        what = f"the feature vector of '{_title(node)}' has no slot '{slot}'"
        raise CommandError(what, node.places.whole, suggest(slot, vector.columns, "it has"))
    return ColumnRef(vector_of(node.id), slot)


def _alike(traced: Lineage, steps: Steps) -> dict[ColumnRef, tuple[ColumnRef, ...]]:
    groups: dict[tuple[str, frozenset[ColumnRef]], list[ColumnRef]] = {}
    for ref in steps:
        if ref.node_id in traced.versions:
            features = frozenset([edge.source for edge in traced.edges(ref)])
            groups.setdefault((ref.node_id, features), []).append(ref)
    return {ref: tuple(group) for group in groups.values() for ref in group}


def _steps(traced: Lineage, starts: tuple[ColumnRef, ...], direction: Direction) -> Steps:
    children = traced.children() if direction == "downstream" else {}
    steps: Steps = {}
    todo = list(starts)
    for ref in todo:
        if ref in steps:
            continue
        if direction == "downstream":
            # What reads any column of a node may read this one.
            names = dict.fromkeys((ref, ColumnRef(ref.node_id, EVERY)))
            steps[ref] = tuple([step for name in names for step in children.get(name, ())])
        else:
            steps[ref] = tuple([(source, edge) for edge in traced.edges(ref) for source in _slots(traced, edge.source)])
        todo += [following for following, _ in steps[ref]]
    return steps


def _slots(traced: Lineage, ref: ColumnRef) -> tuple[ColumnRef, ...]:
    """Return each slot where `ref` stands for all of a vector."""
    if ref.column != EVERY or ref.node_id not in traced.versions:
        return (ref,)
    return tuple([ColumnRef(ref.node_id, slot) for slot in traced.nodes[ref.node_id].columns])
