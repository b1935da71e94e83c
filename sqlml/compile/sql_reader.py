"""The SQL of nodes, from the cache where an earlier run read the same: a node in, facts and placed errors out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlml.compile.facts import ColumnFacts, Facts, SqlFacts, SqlSlice
from sqlml.compile.readable import Readable
from sqlml.compile.types import to_plain
from sqlml.errors import SqlmlError
from sqlml.ir.aids import Aids
from sqlml.ir.cache import dump, key_of
from sqlml.ir.dag import BuiltNode, Dag, Node, SourceNode, SqlNode, TestNode

if TYPE_CHECKING:
    from sqlml.compile.read_sql import FreshReader, Reading

# Their whole SQL is ours, and reads nothing but the tested column, which is there.
_PLAIN_TESTS = ("not_null", "unique", "accepted_values")


class SqlReader:
    """Reads the SQL of the nodes of one Dag, parents first.

    Args:
        facts: of the nodes that were read before.
        cut_later: ids of the nodes for which `cut` may be called.
        judged: ids of the nodes whose time of knowledge is asked for.
    """

    def __init__(
        self, dag: Dag, facts: Facts, aids: Aids, cut_later: frozenset[str], judged: frozenset[str] = frozenset()
    ) -> None:
        self._dag = dag
        self._facts = facts
        self._aids = aids
        self._cut_later = cut_later
        self._judged = judged
        self._keys: dict[str, str] = {}
        self._shapes: dict[str, str] = {}

    def read(self, node: SqlNode | TestNode) -> tuple[SqlFacts | None, list[SqlmlError]]:
        """Return the facts about the SQL of a node, None if it cannot be read, and what is wrong in it."""
        if isinstance(node, TestNode) and node.test.kind in _PLAIN_TESTS and not node.test.where:
            return SqlFacts(len(node.sql.text), key_of("plain test", node.sql.text)), []
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
        with self._aids.timing.measure("compile", "load sqlglot"):
            from sqlml.compile.read_sql import FreshReader

        return FreshReader(dict(_references(self._dag)), self._aids.timing)

    def _key(self, node: SqlNode | TestNode) -> str:
        """Return a digest of the SQL of a node and of all that it may read: names, columns and types."""
        key = self._keys.get(node.id)
        if key is None:
            shapes = [self._shape(parent) for parent in node.parents]
            if node.id in self._judged:
                known = [of_columns(self._dag, self._facts, parent) for parent in node.parents]
                shapes.append(dump([_plain(one) for one in known]))
            elif node.id in self._cut_later:
                shapes.append(dump([[parent, sorted(found or ())] for parent, found in self._unique(node).items()]))
            key = self._keys[node.id] = key_of(node.kind, node.sql.text, node.relation, *shapes)
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
        if node.id in self._judged:
            parents = {parent: of_columns(self._dag, self._facts, parent) for parent in node.parents}
            return Reading(node, title_of(node), readable, parents)
        unique = self._unique(node) if node.id in self._cut_later else None
        return Reading(node, title_of(node), readable, unique=unique)

    def _unique(self, node: SqlNode | TestNode) -> dict[str, frozenset[str] | None]:
        return {parent: unique_of(self._dag, self._facts, parent) for parent in node.parents}


def _plain(known: ColumnFacts) -> list[Any]:
    # None and no columns are not the same: nothing is known, and there is one row.
    unique = None if known.unique is None else sorted(known.unique)
    return [sorted(known.present), sorted(known.units.items()), unique]


def title_of(node: Node) -> str:
    """Return what a node is called in messages."""
    nouns = {"sql_model": "sql model", "test": "data test", "ml_output": "output", "ml_model": "ml model"}
    return f"{nouns.get(node.kind, node.kind)} '{node.name}'"


def readable_of(dag: Dag, facts: Facts, node_id: str) -> Readable:
    """Return a node as what reads it sees it."""
    types = facts.types.get(node_id, {})
    return Readable(node_id, dag.nodes[node_id].name, facts.columns.get(node_id), types)


def unique_of(dag: Dag, facts: Facts, node_id: str) -> frozenset[str] | None:
    """Return the columns (lower case) of a node that together name a row; None: there are none for sure."""
    sql = facts.sql.get(node_id)
    if sql is not None and sql.of_columns.unique is not None:
        return sql.of_columns.unique
    tested = [test.column for test in dag.nodes[node_id].data_tests if test.kind == "unique" and test.where is None]
    return next((frozenset((column.lower(),)) for column in tested if column), None)


def of_columns(dag: Dag, facts: Facts, node_id: str) -> ColumnFacts:
    """Return what is known of the columns of a node: what its SQL says, its data tests and its types."""
    node, sql = dag.nodes[node_id], facts.sql.get(node_id)
    known = ColumnFacts() if sql is None else sql.of_columns
    tests = [(test.kind, test.column.lower()) for test in node.data_tests if test.column and test.where is None]
    present = known.present | {column for kind, column in tests if kind == "not_null"}
    dates = [name for name, given in facts.types.get(node_id, {}).items() if str(given) == "date"]
    units = {**{name.lower(): "day" for name in dates}, **known.units}
    return ColumnFacts(present, units, unique_of(dag, facts, node_id))


def _references(dag: Dag) -> Iterator[tuple[str, str]]:
    """Yield what a user might write in SQL instead of a reference, in lower case, and the reference."""
    for node in dag.nodes.values():
        if isinstance(node, SourceNode):
            reference = f"source('{node.source.source_name}', '{node.source.name}')"
            yield node.source.name.lower(), reference
            yield node.name.lower(), reference
    for node in dag.nodes.values():
        if isinstance(node, BuiltNode):
            yield node.name.lower(), f"ref('{node.name}')"
