"""Column lineage: what each column of each node is computed from (made by the compile phase), and walks along it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

EVERY = "*"
"""Stands for any column of a node: of one whose columns are unknown, or of one that was read in an unknown way."""

ROWS = ""
"""Stands for no column of a node, but for which rows it has."""


_VECTOR = ":vector"


def vector_of(node_id: str) -> str:
    """Return what stands for the feature vector of an ML model or a prediction, whose columns are its slots."""
    return node_id + _VECTOR


def owner_of(node_id: str) -> str:
    """Return whose vector `node_id` stands for; itself if it stands for none."""
    return node_id.removesuffix(_VECTOR)


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


class TimeRef(NamedTuple):
    """A timestamp column of a row.

    Attributes:
        row: which of the rows that are read; the same number for the same row, within one node.
        slack: the unit to which another timestamp was cut off: it is earlier than this one by less than that.
        gain_s: seconds by which the other one is later, at least.
    """

    ref: ColumnRef
    row: int
    slack: str = ""
    gain_s: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """A promise that what is read was in time: a column of its own row is no later than a moment.

    Attributes:
        known_at: columns of the parent, in the same row, that are earlier than the moment.
        moment: what the moment is no later than.
        is_strict: they are earlier, not equal.
        gap_s: they are earlier by so many seconds.
        unit: to which the moment is cut off; `*`: to the same as they are.
        text: what was compared, as it was written; empty if it says nothing by itself.
    """

    known_at: frozenset[TimeRef]
    moment: frozenset[TimeRef]
    is_strict: bool = False
    gap_s: int = 0
    unit: str = ""
    text: str = ""


class Way(NamedTuple):
    """One way in which a column is reached: the row that it is read from, and what holds of that row.

    Attributes:
        rows: the row, and the group that it was taken from.
    """

    rows: frozenset[int]
    bounds: frozenset[Bound] = frozenset()


@dataclass(frozen=True, slots=True)
class Edge:
    """One column that another one is computed from.

    Attributes:
        is_copy: the value is that column's, unchanged.
        ways: in which it is reached; empty where nobody asks for the time of knowledge.
    """

    source: ColumnRef
    kind: Kind
    is_copy: bool = False
    ways: tuple[Way, ...] = ()


class Influence(StrEnum):
    """How a column that is no value of another one yet decides it.

    `lookup`: the value is found by it: a join key, a partition, the order of a window.
    `count`: rows are counted that were chosen by it.
    `choice`: rows are read, or are there at all, that were chosen by it.
    """

    LOOKUP = "lookup"
    COUNT = "count"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Decision:
    """A column that decides another one, or which rows there are; column `ROWS`: which rows the parent has."""

    source: ColumnRef
    influence: Influence
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnTimes:
    """What is known of a timestamp: that it is no earlier than some columns, and no later than others.

    Attributes:
        unit: to which it is cut off.
    """

    floors: frozenset[TimeRef] = frozenset()
    ceilings: frozenset[TimeRef] = frozenset()
    unit: str = ""


class WindowUse(NamedTuple):
    """A window that a column is computed by.

    Attributes:
        offset: of its function in the node's SQL.
        reason: why it reads later rows, if it is sorted by time; empty if it does not.
        key: what it is sorted by, as it was written; empty: nothing.
        sorted_by: columns that the key is computed from.
        partitioned_by: columns that are the same in all rows that it reads.
    """

    offset: int
    reason: str
    key: str = ""
    sorted_by: tuple[ColumnRef, ...] = ()
    partitioned_by: tuple[ColumnRef, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeLineage:
    """What the columns of one node are computed from, in its parents.

    Attributes:
        columns: each column, in the node's spelling and order, to its edges; a column is reached as `filter` only if
            it is reached in no other way. `EVERY` alone where the columns are unknown.
        rows: columns that reach every column of the node as `filter`: what decides its rows. They are not repeated in
            `columns`, and one that also has a `value` or `other_rows` edge to a column counts as that there.
        windows: column to the windows that it is computed by.
        decisions, times: of columns; for nodes above an ML model whose time of knowledge is declared.
        choices: what decided which rows there are, for the same nodes.
    """

    columns: Mapping[str, tuple[Edge, ...]]
    rows: tuple[ColumnRef, ...] = ()
    windows: Mapping[str, tuple[WindowUse, ...]] = field(default_factory=dict)
    decisions: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)
    times: Mapping[str, ColumnTimes] = field(default_factory=dict)
    choices: tuple[Decision, ...] = ()

    def edges(self, column: str) -> tuple[Edge, ...]:
        """Return all edges of `column`, those of `rows` included."""
        own = self.columns.get(column)
        if own is None:
            own = self.columns.get(EVERY, ())
        reached = {edge.source for edge in own}
        return own + tuple([Edge(ref, Kind.FILTER) for ref in self.rows if ref not in reached])


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of all nodes, by id; nodes that read nothing (sources, seeds) have columns without edges.

    Attributes:
        nodes: where fitted models are followed through their slots, vectors (`vector_of`) are among them.
        versions: id of each vector to the version whose slots it has; None: those that are expected of a fit.
    """

    nodes: Mapping[str, NodeLineage]
    versions: Mapping[str, int | None] = field(default_factory=dict)

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
