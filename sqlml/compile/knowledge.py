"""Time of knowledge: lineage and `known:` declarations in; for each column, the late columns that reach it out.

A column is late if it is declared `known: after` or `known: {at: …}`, or is computed from a late one: what is computed
from several columns is known when the last of them is. A declaration on a SQL model's column replaces what the column
inherits. A late column of other rows is no longer late where a window or join reads only rows that were known by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlml.ir.dag import Dag, Node
from sqlml.ir.lineage import Bound, ColumnRef, Edge, Kind, Lineage
from sqlml.ir.project import Known


@dataclass(frozen=True, slots=True)
class Origin:
    """A column that is declared to be known late.

    Attributes:
        at: the timestamp from which it is known; None: after the event.
    """

    ref: ColumnRef
    at: ColumnRef | None


@dataclass(frozen=True, slots=True)
class Way:
    """How an origin reaches a column.

    Attributes:
        path: columns from the one that is reached to the origin.
        bounds: what the rows were bounded by, though not by the time at which they were known.
    """

    path: tuple[ColumnRef, ...]
    bounds: frozenset[Bound] = frozenset()


@dataclass(slots=True)
class Lateness:
    """The late columns that reach a column.

    Attributes:
        same: by values of the same row.
        others: by values of other rows that may not have been known yet.
    """

    same: dict[Origin, Way] = field(default_factory=dict)
    others: dict[Origin, Way] = field(default_factory=dict)


class KnowledgeReader:
    """Finds the lateness of columns of one Dag; each column once.

    Args:
        lineage: of every node that is asked for and of all above it.
        event_time: the columns that are the moment of prediction, copies of each other.
    """

    def __init__(self, dag: Dag, lineage: Lineage, event_time: frozenset[ColumnRef] = frozenset()) -> None:
        self._lineage = lineage
        self._declared = dict(_declared_in(dag.nodes.values()))
        self._event_time = {self._folded(ref) for ref in event_time}
        self._found: dict[ColumnRef, Lateness] = {}
        self._copies: dict[ColumnRef, frozenset[ColumnRef]] = {}

    def is_declared(self, ref: ColumnRef) -> bool:
        """Return whether the column itself says when it is known."""
        return (ref.node_id, ref.column.lower()) in self._declared

    def is_on_time(self, origin: Origin) -> bool:
        """Return whether the column is known at the very moment of prediction, in its own row."""
        return origin.at is not None and self._folded(origin.at) in self._event_time

    def copies(self, ref: ColumnRef) -> frozenset[ColumnRef]:
        """Return the columns that have the same value by being copied, `ref` included."""
        if ref not in self._copies:
            self._copies[ref] = self._lineage.copies(ref)
        return self._copies[ref]

    def lateness(self, ref: ColumnRef) -> Lateness:
        """Return the late columns that reach `ref`."""
        # Not by recursion: projects can be many layers deep.
        todo = [ref]
        while todo:
            at = todo[-1]
            missing = [edge.source for edge in self._edges(at) if edge.source not in self._found]
            if at in self._found or not missing:
                self._found.setdefault(at, self._find(at))
                todo.pop()
            else:
                todo += missing
        return self._found[ref]

    def _edges(self, ref: ColumnRef) -> list[Edge]:
        return [edge for edge in self._lineage.edges(ref) if edge.kind in (Kind.VALUE, Kind.OTHER_ROWS)]

    def _find(self, ref: ColumnRef) -> Lateness:
        found = Lateness()
        for edge in self._edges(ref):
            self._inherit(ref, edge, found)
        known = self._declared.get((ref.node_id, ref.column.lower()))
        if known is None:
            return found
        # What says the same again replaces nothing, so that paths lead to the source.
        if known.at is None and found.same and all(origin.at is None for origin in found.same) and not found.others:
            return found
        at = None if known.at is None else ColumnRef(ref.node_id, known.at)
        return Lateness({Origin(ref, at): Way((ref,))})

    def _inherit(self, ref: ColumnRef, edge: Edge, found: Lateness) -> None:
        inner = self._found[edge.source]
        for origin, way in inner.others.items():
            found.others.setdefault(origin, Way((ref, *way.path), way.bounds))
        for origin, way in inner.same.items():
            reached = Way((ref, *way.path), edge.bounds)
            if edge.kind is Kind.VALUE:
                found.same.setdefault(origin, reached)
            elif not self._is_bounded(origin, edge.bounds):
                found.others.setdefault(origin, reached)

    def _is_bounded(self, origin: Origin, bounds: Iterable[Bound]) -> bool:
        """Return whether only rows are read whose `origin` was known at a moment that was itself known."""
        if origin.at is None:
            return False
        at = self._folded(origin.at)
        for bound in bounds:
            names = {self._folded(copy) for ref in bound.known_at for copy in self.copies(ref)}
            if at in names and not any(self._is_late(moment) for moment in bound.moment):
                return True
        return False

    def _is_late(self, moment: ColumnRef) -> bool:
        return any(not self.is_on_time(origin) for origin in self.lateness(moment).same)

    @staticmethod
    def _folded(ref: ColumnRef) -> tuple[str, str]:
        return ref.node_id, ref.column.lower()


def _declared_in(nodes: Iterable[Node]) -> Iterable[tuple[tuple[str, str], Known]]:
    for node in nodes:
        for column in node.declared_columns:
            if column.known is not None:
                yield (node.id, column.name.lower()), column.known


def show_path(path: Iterable[ColumnRef], nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """Return the columns of a path as a user calls them: `flight_features.dep_delay`."""
    return tuple(f"{nodes[ref.node_id].name}.{ref.column}" for ref in path)
