"""Lineage between nodes: an analysed Dag in; for each node, what its columns are computed from in its parents out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from sqlml.compile.lineage.dependencies import Bounds, Dependencies, Leaf
from sqlml.compile.lineage.statements import StatementTracer
from sqlml.compile.scopes import Analysis
from sqlml.ir.dag import Dag, MlNode, Node, PredictionNode, SqlNode, TestNode
from sqlml.ir.lineage import EVERY, Bound, ColumnRef, Edge, Kind, Lineage, NodeLineage


class Known(Protocol):
    """What was found out about the nodes of a Dag, by id (see `sqlml.compile.hashing.Facts`)."""

    columns: dict[str, tuple[str, ...] | None]
    features: dict[str, tuple[str, ...] | None]

    def analysis_of(self, node_id: str) -> Analysis | None:
        """Return the analysis of the SQL of a node that has some."""
        ...

    def condition_columns(self, node_id: str) -> frozenset[str]:
        """Return the columns (lower case) that the `where:` of an ML model reads."""
        ...


class LineageTracer:
    """Traces the nodes of one Dag, each at most once and only when asked."""

    def __init__(self, dag: Dag, known: Known) -> None:
        self._dag = dag
        self._known = known
        self._spelling: dict[str, dict[str, ColumnRef]] = {}

    def trace(self, node_ids: Iterable[str] | None = None) -> Lineage:
        """Return the lineage of the nodes `node_ids` (None: all), data tests left out."""
        wanted = self._dag.nodes if node_ids is None else node_ids
        nodes = [self._dag.nodes[node_id] for node_id in wanted]
        return Lineage({node.id: self._trace(node) for node in nodes if not isinstance(node, TestNode)})

    def _trace(self, node: Node) -> NodeLineage:
        if isinstance(node, SqlNode):
            return self._trace_sql(node)
        if isinstance(node, MlNode):
            return self._trace_ml(node)
        if isinstance(node, PredictionNode):
            return self._trace_prediction(node)
        columns = self._known.columns.get(node.id)
        return NodeLineage(dict.fromkeys(columns or (EVERY,), ()))

    def _ref(self, leaf: Leaf) -> ColumnRef:
        """Return the column in its node's own spelling."""
        node_id, name = leaf
        spelling = self._spelling.get(node_id)
        if spelling is None:
            columns = self._known.columns.get(node_id) or ()
            spelling = self._spelling[node_id] = {column.lower(): ColumnRef(node_id, column) for column in columns}
        found = spelling.get(name)
        if found is None:
            found = spelling[name] = ColumnRef(node_id, name)
        return found

    def _trace_sql(self, node: SqlNode) -> NodeLineage:
        analysis = self._known.analysis_of(node.id)
        columns = self._known.columns.get(node.id)
        is_followed = analysis is not None and analysis.query.outputs is not None and not analysis.is_recursive
        if analysis is None or columns is None or not is_followed:
            edges = tuple([Edge(ColumnRef(parent, EVERY), Kind.UNKNOWN) for parent in node.parents])
            return NodeLineage(dict.fromkeys(columns or (EVERY,), edges))
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

    def _trace_ml(self, node: MlNode) -> NodeLineage:
        training, ml_model = node.training_relation, node.ml_model
        features = self._known.features.get(node.id)
        if features is None:
            return NodeLineage({EVERY: (Edge(ColumnRef(training, EVERY), Kind.UNKNOWN),)})
        learnt = [*features, *ml_model.role_columns.values()]
        columns = {name: (Edge(self._ref((training, name.lower())), Kind.VALUE, True),) for name in learnt}
        read = {*self._known.condition_columns(node.id), *[name.lower() for name in ml_model.split.columns]}
        return NodeLineage(columns, tuple(sorted([self._ref((training, name)) for name in read])))

    def _trace_prediction(self, node: PredictionNode) -> NodeLineage:
        scored = self._known.columns.get(node.scored)
        features = self._known.features.get(node.ml_model)
        columns = self._known.columns.get(node.id)
        if scored is None or features is None:
            sources = (node.scored, node.ml_model)
            edges = tuple([Edge(ColumnRef(source, EVERY), Kind.UNKNOWN) for source in sources])
            return NodeLineage(dict.fromkeys(columns or (EVERY,), edges))
        computed = tuple([Edge(self._ref((node.scored, name.lower())), Kind.VALUE) for name in features])
        computed += (Edge(ColumnRef(node.ml_model, EVERY), Kind.FIT),)
        passed: Mapping[str, tuple[Edge, ...]] = {
            name: (Edge(self._ref((node.scored, name.lower())), Kind.VALUE, True),) for name in scored
        }
        # How many classes there are, and so how many columns, is known once it is fitted.
        added = (EVERY,) if columns is None else columns[len(scored) :]
        return NodeLineage({**passed, **dict.fromkeys(added, computed)})


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def _order(edge: Edge) -> tuple[int, ColumnRef]:
    return _RANK[edge.kind], edge.source
