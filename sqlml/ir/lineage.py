"""Column lineage: what each column of each node is computed from (made by the compile phase), and walks along it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

EVERY = "*"
"""Stands for any column of a node: of one whose columns are unknown, or of one that was read in an unknown way."""


class Kind(StrEnum):
    """How a column is reached.

    `value`: the value is computed from it, in the same row or in the one row that an equality joins to it.
    `other_rows`: the value is computed from it in other rows: an aggregate, a window, a join by an inequality.
    `filter`: it only decides which rows there are, or how they are grouped, matched or ordered.
    `fit`: a fitted model learnt from it, in the rows it was trained on.
    `unknown`: it may be any of these, or nothing.
    """

    VALUE = "value"
    OTHER_ROWS = "other_rows"
    FILTER = "filter"
    FIT = "fit"
    UNKNOWN = "unknown"


class ColumnRef(NamedTuple):
    """A column of a node, in the spelling of the node's columns; `EVERY` for any of them."""

    node_id: str
    column: str


class Bound(NamedTuple):
    """A promise that only rows are read whose `known_at` comes before the moment that is predicted for.

    Attributes:
        known_at: the column compared, by each name it has in the relations it was copied from; empty: an expression.
        moment: what the moment is computed from.
        text: `known_at` as it was written.
    """

    known_at: frozenset[ColumnRef]
    moment: frozenset[ColumnRef]
    text: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One column that another one is computed from.

    Attributes:
        is_copy: the value is that column's, unchanged.
        bounds: of `other_rows`: what each way to it is bounded by.
    """

    source: ColumnRef
    kind: Kind
    is_copy: bool = False
    bounds: frozenset[Bound] = frozenset()


class LooksAhead(NamedTuple):
    """A window that reads later rows: the offset of its function in the node's SQL, and why."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class NodeLineage:
    """What the columns of one node are computed from, in its parents.

    Attributes:
        columns: each column, in the node's spelling and order, to its edges; a column is reached as `filter` only if
            it is reached in no other way. `EVERY` alone where the columns are unknown.
        rows: columns that reach every column of the node as `filter`: what decides its rows. They are not repeated in
            `columns`, and one that also has a `value` or `other_rows` edge to a column counts as that there.
        ahead: column to the windows that read later rows for it.
    """

    columns: Mapping[str, tuple[Edge, ...]]
    rows: tuple[ColumnRef, ...] = ()
    ahead: Mapping[str, tuple[LooksAhead, ...]] = field(default_factory=dict)

    def edges(self, column: str) -> tuple[Edge, ...]:
        """Return all edges of `column`, those of `rows` included."""
        own = self.columns.get(column)
        if own is None:
            own = self.columns.get(EVERY, ())
        reached = {edge.source for edge in own}
        return own + tuple([Edge(ref, Kind.FILTER) for ref in self.rows if ref not in reached])


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of all nodes, by id; nodes that read nothing (sources, seeds) have columns without edges."""

    nodes: Mapping[str, NodeLineage]

    def edges(self, ref: ColumnRef) -> tuple[Edge, ...]:
        """Return what `ref` is computed from; for `EVERY`: what any column of the node is."""
        node = self.nodes.get(ref.node_id)
        if node is None:
            return ()
        if ref.column != EVERY:
            return node.edges(ref.column)
        found = dict.fromkeys(edge for column in node.columns for edge in node.edges(column))
        return tuple(found)

    def children(self) -> dict[ColumnRef, list[tuple[ColumnRef, Edge]]]:
        """Return for each column the columns that are computed from it, with the edge."""
        children: dict[ColumnRef, list[tuple[ColumnRef, Edge]]] = {}
        for node_id, node in self.nodes.items():
            for column in node.columns:
                for edge in node.edges(column):
                    children.setdefault(edge.source, []).append((ColumnRef(node_id, column), edge))
        return children

    def copies(self, ref: ColumnRef) -> frozenset[ColumnRef]:
        """Return `ref` and every column that its value was copied from, unchanged."""
        found = {ref}
        todo = [ref]
        while todo:
            for edge in self.edges(todo.pop()):
                if edge.is_copy and edge.source not in found:
                    found.add(edge.source)
                    todo.append(edge.source)
        return frozenset(found)

    def roots(self, ref: ColumnRef, kinds: Iterable[Kind] = (Kind.VALUE,)) -> frozenset[ColumnRef]:
        """Return the columns of sources and seeds that `ref` is computed from by edges of `kinds` alone."""
        wanted = frozenset(kinds)
        found: set[ColumnRef] = set()
        seen = {ref}
        todo = deque([ref])
        while todo:
            at = todo.popleft()
            if at.node_id.startswith(("source.", "seed.")):
                found.add(at)
            for edge in self.edges(at):
                if edge.kind in wanted and edge.source not in seen:
                    seen.add(edge.source)
                    todo.append(edge.source)
        return frozenset(found)
