"""Dependencies of a statement as edges of the IR: columns in lower case in, columns as their nodes spell them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlml.compile.lineage.dependencies import (
    CHOSEN,
    COUNTED,
    FILTER,
    LOOKUP,
    OTHER_ROWS,
    VALUE,
    Bounds,
    Dependencies,
    Leaf,
    Reach,
    Time,
)
from sqlml.compile.lineage.moments import OWN
from sqlml.compile.lineage.rows import RowNames
from sqlml.compile.lineage.times import Times
from sqlml.ir.lineage import (
    EVERY,
    Bound,
    ColumnRef,
    ColumnTimes,
    Decision,
    Edge,
    Influence,
    Kind,
    TimeRef,
    Way,
    WindowUse,
)

_INFLUENCES = {LOOKUP: Influence.LOOKUP, COUNTED: Influence.COUNT, CHOSEN: Influence.CHOICE}


class Export:
    """Turns what one statement depends on into edges.

    Args:
        names: of its rows; None where time of knowledge is not judged.
    """

    def __init__(self, ref: Callable[[Leaf], ColumnRef], names: RowNames | None) -> None:
        self._ref = ref
        self._names = names

    def edges(self, found: Dependencies, rows: frozenset[Leaf]) -> tuple[Edge, ...]:
        """Return the edges of a column; `rows` decide about all columns, and are no edges of one."""
        values, others = self._ways(found.of(VALUE)), self._ways(found.of(OTHER_ROWS))
        edges = [Edge(self._ref(leaf), Kind.VALUE, found.is_copy, ways) for leaf, ways in values.items()]
        edges += [Edge(self._ref(leaf), Kind.OTHER_ROWS, False, ways) for leaf, ways in others.items()]
        only = {reach.leaf for reach in found.of(FILTER)} - rows - values.keys() - others.keys()
        edges += [Edge(self._ref(leaf), Kind.FILTER) for leaf in only]
        edges += [Edge(ColumnRef(node_id, EVERY), Kind.UNKNOWN) for node_id in found.unknown]
        if len(edges) > 1:
            edges.sort(key=_order)
        return tuple(edges)

    def decisions(self, found: Dependencies) -> tuple[Decision, ...]:
        """Return what decides a column, or which rows there are, without being a value of it."""
        made = [
            Decision(self._ref(leaf), influence, ways)
            for kind, influence in _INFLUENCES.items()
            for leaf, ways in self._ways(found.of(kind)).items()
        ]
        return tuple(sorted(made, key=lambda decision: (decision.influence, decision.source)))

    def windows(self, found: Dependencies) -> tuple[WindowUse, ...]:
        """Return the windows that a column is computed by."""
        windows = sorted(found.windows, key=lambda window: window[:3])
        return tuple(
            [WindowUse(*one[:3], self._refs(one.sorted_by), self._refs(one.partitioned_by)) for one in windows]
        )

    def _refs(self, leaves: Iterable[Leaf]) -> tuple[ColumnRef, ...]:
        return tuple(sorted([self._ref(leaf) for leaf in leaves]))

    def times(self, times: Times) -> ColumnTimes:
        """Return what is known of a timestamp, in terms of the parents' columns alone."""
        return ColumnTimes(self._time_refs(times.floors), self._time_refs(times.ceilings), times.unit)

    def _ways(self, reached: Mapping[Reach, Bounds]) -> dict[Leaf, tuple[Way, ...]]:
        ways: dict[Leaf, tuple[Way, ...]] = {}
        for reach, bounds in reached.items():
            before = ways.get(reach.leaf, ())
            if self._names is not None:
                before += (Way(self._names.covering(reach.row), frozenset(self._bounds(bounds))),)
            ways[reach.leaf] = before
        return ways

    def _bounds(self, bounds: Bounds) -> Iterable[Bound]:
        for held in bounds:
            known_at, moment = self._time_refs(held.floors), self._time_refs(held.moment)
            yield Bound(known_at, moment, held.is_strict, held.gap_s, held.unit, held.text)

    def _time_refs(self, times: Iterable[Time]) -> frozenset[TimeRef]:
        return frozenset(
            [
                TimeRef(self._ref((time.node_id, time.column)), time.row, time.slack, time.gain_s)
                for time in times
                if time.node_id != OWN
            ]
        )


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def _order(edge: Edge) -> tuple[int, ColumnRef]:
    return _RANK[edge.kind], edge.source
