"""Lineage of SQL models: an analysed one in, what its columns are computed from in its parents out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlml.compile.lineage.dag_lineage import Spelling, unknown_lineage
from sqlml.compile.lineage.dependencies import Bounds, Dependencies, Leaf
from sqlml.compile.lineage.statements import StatementTracer
from sqlml.compile.scopes import Analysis
from sqlml.ir.dag import SqlNode
from sqlml.ir.lineage import EVERY, Bound, ColumnRef, Edge, Kind, NodeLineage


class LineageTracer:
    """Traces the SQL models of one Dag.

    Args:
        columns: of the nodes that they read, by id; None where unknown.
    """

    def __init__(self, columns: Mapping[str, tuple[str, ...] | None]) -> None:
        self._ref = Spelling(columns).ref

    def trace_sql(self, node: SqlNode, analysis: Analysis, columns: tuple[str, ...] | None) -> NodeLineage:
        """Return what the `columns` of a SQL model are computed from."""
        is_followed = analysis.query.outputs is not None and not analysis.is_recursive
        if columns is None or not is_followed:
            return unknown_lineage(node, columns)
        tracer = StatementTracer(analysis)
        query = analysis.query
        rows = tracer.rows(query)
        traced = {name: tracer.output(query, at) for at, name in enumerate(columns)}
        return NodeLineage(
            {name: self._edges(found, rows) for name, found in traced.items()},
            tuple(sorted([self._ref(leaf) for leaf in rows])),
            {name: tuple(sorted(found.ahead)) for name, found in traced.items() if found.ahead},
        )

    def _edges(self, found: Dependencies, rows: frozenset[Leaf]) -> tuple[Edge, ...]:
        ref = self._ref
        edges = [Edge(ref(leaf), Kind.VALUE, found.is_copy) for leaf in found.values]
        edges += [Edge(ref(leaf), Kind.OTHER_ROWS, bounds=self._bounds(held)) for leaf, held in found.others.items()]
        only = found.filters - rows if found.filters else found.filters
        only = only - found.values.keys() - found.others.keys() if only else only
        edges += [Edge(ref(leaf), Kind.FILTER) for leaf in only]
        edges += [Edge(ColumnRef(node_id, EVERY), Kind.UNKNOWN) for node_id in found.unknown]
        if len(edges) > 1:
            edges.sort(key=_order)
        return tuple(edges)

    def _bounds(self, held: Bounds) -> frozenset[Bound]:
        if not held:
            return frozenset()
        return frozenset([Bound(self._refs(one.known_at), self._refs(one.moment), one.text) for one in held])

    def _refs(self, leaves: Iterable[Leaf]) -> frozenset[ColumnRef]:
        return frozenset([self._ref(leaf) for leaf in leaves])


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def _order(edge: Edge) -> tuple[int, ColumnRef]:
    return _RANK[edge.kind], edge.source
