"""Lineage of SQL models: an analysed one in, what its columns are computed from in its parents out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlml.compile.facts import ColumnFacts
from sqlml.compile.lineage.dag_lineage import Spelling, unknown_lineage
from sqlml.compile.lineage.export import Export
from sqlml.compile.lineage.grains import Unique, query_grain
from sqlml.compile.lineage.statements import StatementTracer
from sqlml.compile.scopes import Analysis
from sqlml.ir.dag import SqlNode
from sqlml.ir.lineage import NodeLineage


class LineageTracer:
    """Traces the SQL models of one Dag.

    Args:
        columns: of the nodes that they read, by id; None where unknown.
        parents: what else is known of these columns, if time of knowledge is to be judged.
        unique: which of these columns name a row, if that alone is asked for.
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[str, ...] | None],
        parents: Mapping[str, ColumnFacts] | None = None,
        unique: Unique | None = None,
    ) -> None:
        self._ref = Spelling(columns).ref
        self._parents = parents
        self._unique = unique

    def trace_sql(
        self, node: SqlNode, analysis: Analysis, columns: tuple[str, ...] | None
    ) -> tuple[NodeLineage, ColumnFacts]:
        """Return what the `columns` of a SQL model are computed from, and what is known of them."""
        is_followed = analysis.query.outputs is not None and not analysis.is_recursive
        if columns is None or not is_followed:
            return unknown_lineage(node, columns), ColumnFacts()
        tracer = StatementTracer(analysis, self._parents)
        judge, query = tracer.judge(), analysis.query
        rows = frozenset([reach.leaf for reach in tracer.rows(query)])
        traced = {name: tracer.output(query, at) for at, name in enumerate(columns)}
        export = Export(self._ref, None if judge is None else judge.moments.names)
        lineage = NodeLineage(
            {name: export.edges(found, rows) for name, found in traced.items()},
            tuple(sorted([self._ref(leaf) for leaf in rows])),
            {name: export.windows(found) for name, found in traced.items() if found.windows},
        )
        if judge is None:
            return lineage, ColumnFacts(unique=None if self._unique is None else query_grain(query, self._unique))
        times = {name: judge.moments.output(query, at) for at, name in enumerate(columns)}
        known = ColumnFacts(
            frozenset([name.lower() for name, found in times.items() if found.is_present]),
            {name.lower(): found.unit for name, found in times.items() if found.unit},
            judge.moments.grain(query),
        )
        return replace(
            lineage,
            decisions={name: found for name, output in traced.items() if (found := export.decisions(output))},
            times={name: export.times(found) for name, found in times.items() if found.floors or found.ceilings},
            choices=export.decisions(judge.chosen(query)),
        ), known
