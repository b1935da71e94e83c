"""The SQL of nodes, from the cache where an earlier run read the same: a node in, facts and placed errors out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from sqlml.compile.facts import Facts, SqlFacts, SqlSlice
from sqlml.compile.readable import Readable
from sqlml.compile.types import to_plain
from sqlml.errors import SqlmlError
from sqlml.ir.aids import Aids
from sqlml.ir.cache import dump, key_of
from sqlml.ir.dag import Dag, SeedNode, SourceNode, SqlNode, TestNode

if TYPE_CHECKING:
    from sqlml.compile.read_sql import FreshReader, Reading


class SqlReader:
    """Reads the SQL of the nodes of one Dag, parents first.

    Args:
        facts: of the nodes that were read before.
        cut_later: ids of the nodes for which `cut` may be called.
    """

    def __init__(self, dag: Dag, facts: Facts, aids: Aids, cut_later: frozenset[str]) -> None:
        self._dag = dag
        self._facts = facts
        self._aids = aids
        self._cut_later = cut_later
        self._keys: dict[str, str] = {}
        self._shapes: dict[str, str] = {}

    def read(self, node: SqlNode | TestNode) -> tuple[SqlFacts | None, list[SqlmlError]]:
        """Return the facts about the SQL of a node, None if it cannot be read, and what is wrong in it."""
        key = self._key(node)
        kept = self._aids.cache.get("statements", key, SqlFacts)
        if kept is not None:
            return kept, []
        errors: list[SqlmlError] = []
        found = self._fresh.read(self._reading(node), errors, is_kept=node.id in self._cut_later)
        if found is not None and not errors:
            self._aids.cache.put("statements", key, found)
        return found, errors

    def cut(self, node_id: str, columns: frozenset[str]) -> SqlSlice:
        """Return what some columns (lower case) of a SQL model are made of; only for one whose facts are exact."""
        node = self._dag.nodes[node_id]
        assert isinstance(node, SqlNode)
        key = key_of(self._key(node), *sorted(columns))
        kept = self._aids.cache.get("slices", key, SqlSlice)
        if kept is None:
            kept = self._fresh.cut(self._reading(node), columns)
            self._aids.cache.put("slices", key, kept)
        return kept

    @cached_property
    def _fresh(self) -> FreshReader:
        # sqlglot takes longer to load than a project without changes takes to compile.
        from sqlml.compile.read_sql import FreshReader

        return FreshReader(dict(_references(self._dag)), self._aids.timing)

    def _key(self, node: SqlNode | TestNode) -> str:
        """Return a digest of the SQL of a node and of all that it may read: names, columns and types."""
        key = self._keys.get(node.id)
        if key is None:
            key = self._keys[node.id] = key_of(
                node.kind, node.sql.text, node.relation, *[self._shape(parent) for parent in node.parents]
            )
        return key

    def _shape(self, node_id: str) -> str:
        shape = self._shapes.get(node_id)
        if shape is None:
            columns = self._facts.columns.get(node_id)
            types = [to_plain(given) for given in self._facts.types.get(node_id, {}).values()]
            relation = self._dag.nodes[node_id].relation
            shape = self._shapes[node_id] = key_of(node_id, relation, dump([columns, types]))
        return shape

    def _reading(self, node: SqlNode | TestNode) -> Reading:
        from sqlml.compile.read_sql import Reading

        readable = {
            self._dag.nodes[parent].relation.lower(): readable_of(self._dag, self._facts, parent)
            for parent in node.parents
            if self._dag.nodes[parent].relation
        }
        if node.relation:
            # What `this` names: to read it is an error.
            readable.setdefault(node.relation.lower(), Readable("", node.name, None))
        return Reading(node, title_of(node), readable)


def title_of(node: SqlNode | TestNode) -> str:
    """Return what the SQL of a node is called in messages."""
    return f"sql model '{node.name}'" if isinstance(node, SqlNode) else f"data test '{node.name}'"


def readable_of(dag: Dag, facts: Facts, node_id: str) -> Readable:
    """Return a node as what reads it sees it."""
    types = facts.types.get(node_id, {})
    return Readable(node_id, dag.nodes[node_id].name, facts.columns.get(node_id), types)


def _references(dag: Dag) -> Iterator[tuple[str, str]]:
    """Yield what a user might write in SQL instead of a reference, in lower case, and the reference."""
    for node in dag.nodes.values():
        if isinstance(node, SourceNode):
            reference = f"source('{node.source.source_name}', '{node.source.name}')"
            yield node.source.name.lower(), reference
            yield node.name.lower(), reference
    for node in dag.nodes.values():
        if isinstance(node, SeedNode | SqlNode):
            yield node.name.lower(), f"ref('{node.name}')"
