"""Lineage of a Dag: facts about its nodes in; for each node, what its columns are computed from in its parents out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlml.compile.facts import Facts
from sqlml.ir.dag import AlgorithmNode, Dag, MlNode, MlOutputNode, Node, PredictionNode, SqlNode, TestNode
from sqlml.ir.lineage import (
    EVERY,
    ROWS,
    ColumnRef,
    ColumnTimes,
    Decision,
    Edge,
    Influence,
    Kind,
    Lineage,
    NodeLineage,
    TimeRef,
    Way,
)


class Spelling:
    """Gives columns in their nodes' own spelling.

    Args:
        columns: node id to its columns; None where unknown.
    """

    def __init__(self, columns: Mapping[str, tuple[str, ...] | None]) -> None:
        self._columns = columns
        self._spelling: dict[str, dict[str, ColumnRef]] = {}

    def ref(self, leaf: tuple[str, str]) -> ColumnRef:
        """Return a column, given by node id and name in lower case."""
        node_id, name = leaf
        spelling = self._spelling.get(node_id)
        if spelling is None:
            columns = self._columns.get(node_id) or ()
            spelling = self._spelling[node_id] = {column.lower(): ColumnRef(node_id, column) for column in columns}
        found = spelling.get(name)
        if found is None:
            found = spelling[name] = ColumnRef(node_id, name)
        return found


def unknown_lineage(node: Node, columns: tuple[str, ...] | None) -> NodeLineage:
    """Return that each of `columns` may be computed from anything that `node` reads."""
    edges = tuple([Edge(ColumnRef(parent, EVERY), Kind.UNKNOWN) for parent in node.parents])
    return NodeLineage(dict.fromkeys(columns or (EVERY,), edges))


class DagLineage:
    """The lineage of one Dag, each node's once it is asked for."""

    def __init__(self, dag: Dag, facts: Facts) -> None:
        self._dag = dag
        self._known = facts
        self._ref = Spelling(facts.columns).ref

    def of(self, node_ids: Iterable[str] | None = None) -> Lineage:
        """Return the lineage of the nodes `node_ids` (None: all), data tests left out."""
        wanted = self._dag.nodes if node_ids is None else node_ids
        nodes = [self._dag.nodes[node_id] for node_id in wanted]
        return Lineage({node.id: self._of_node(node) for node in nodes if not isinstance(node, TestNode)})

    def _of_node(self, node: Node) -> NodeLineage:
        columns = self._known.columns.get(node.id)
        if isinstance(node, SqlNode):
            facts = self._known.sql.get(node.id)
            known = None if facts is None else facts.lineage
            return unknown_lineage(node, columns) if known is None else known
        if isinstance(node, MlNode):
            return self._trace_ml(node)
        if isinstance(node, PredictionNode):
            return self._trace_prediction(node)
        if isinstance(node, MlOutputNode):
            return self._trace_ml_output(node)
        if isinstance(node, AlgorithmNode):
            return self._trace_algorithm(node)
        return NodeLineage(dict.fromkeys(columns or (EVERY,), ()))

    def _trace_ml(self, node: MlNode) -> NodeLineage:
        training, ml_model = node.training_relation, node.ml_model
        features = self._known.features.get(node.id)
        if features is None:
            return NodeLineage({EVERY: (Edge(ColumnRef(training, EVERY), Kind.UNKNOWN),)})
        learnt = [*features, *ml_model.role_columns.values()]
        columns = {name: (self._copy(training, name),) for name in learnt}
        read = {*self._known.condition_columns(node.id), *[name.lower() for name in ml_model.split.columns_read]}
        return NodeLineage(columns, tuple(sorted([self._ref((training, name)) for name in read])))

    def _trace_prediction(self, node: PredictionNode) -> NodeLineage:
        scored = self._known.columns.get(node.scored)
        features = self._known.features.get(node.ml_model)
        columns = self._known.columns.get(node.id)
        if scored is None or features is None:
            sources = (node.scored, node.ml_model)
            edges = tuple([Edge(ColumnRef(source, EVERY), Kind.UNKNOWN) for source in sources])
            return NodeLineage(dict.fromkeys(columns or (EVERY,), edges))
        read = (*features, *self._inputs(node.ml_model))
        computed = tuple([replace(self._copy(node.scored, name), is_copy=False) for name in read])
        computed += (Edge(ColumnRef(node.ml_model, EVERY), Kind.FIT),)
        passed: Mapping[str, tuple[Edge, ...]] = {name: (self._copy(node.scored, name),) for name in scored}
        # How many classes there are, and so how many columns, is known once it is fitted.
        added = (EVERY,) if columns is None else columns[len(scored) :]
        times = {name: _equal(edge.source) for name, (edge,) in passed.items()}
        choices = (Decision(ColumnRef(node.scored, ROWS), Influence.CHOICE, (_OWN_ROW,)),)
        return NodeLineage({**passed, **dict.fromkeys(added, computed)}, times=times, choices=choices)

    def _inputs(self, ml_node_id: str) -> tuple[str, ...]:
        node = self._dag.nodes[ml_node_id]
        return node.ml_model.inputs if isinstance(node, MlNode) else ()

    def _trace_ml_output(self, node: MlOutputNode) -> NodeLineage:
        learnt = (Edge(ColumnRef(node.ml_model, EVERY), Kind.FIT),)
        # Whom it is made for, and what they have seen, decide its rows; every value is the fitted model's.
        rows = [ColumnRef(read, EVERY) for read in (node.over, node.seen, node.among) if read is not None]
        return NodeLineage(dict.fromkeys(self._known.columns.get(node.id) or (EVERY,), learnt), tuple(sorted(rows)))

    def _trace_algorithm(self, node: AlgorithmNode) -> NodeLineage:
        read, names = node.parents[0], node.algorithm_relation.columns_read.values()
        # Each value depends on all rows.
        edges = tuple([Edge(self._ref((read, name.lower())), Kind.OTHER_ROWS) for name in names])
        return NodeLineage(dict.fromkeys(self._known.columns.get(node.id) or (EVERY,), edges))

    def _copy(self, node_id: str, name: str) -> Edge:
        return Edge(self._ref((node_id, name.lower())), Kind.VALUE, True, (_OWN_ROW,))


# Nodes without SQL read each row of their relation by itself.
_OWN_ROW = Way(frozenset((1,)))


def _equal(ref: ColumnRef) -> ColumnTimes:
    time = frozenset([TimeRef(ref, 1)])
    return ColumnTimes(time, time)
