"""Times of columns: an expression of a statement in, the columns of parents that bound it out (see `times`).

What is read of other rows keeps their names (see `rows`), so that a time bounds only what was read from the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from sqlml.compile.facts import ColumnFacts
from sqlml.compile.lineage.conditions import present
from sqlml.compile.lineage.dependencies import Promise, Time
from sqlml.compile.lineage.grains import query_grain, relation_grain
from sqlml.compile.lineage.rows import RowNames, Shift
from sqlml.compile.lineage.texts import text_of, unwrapped
from sqlml.compile.lineage.times import NOTHING, Times, either_side, read_operation
from sqlml.compile.lineage.windows import WindowCall, read_window
from sqlml.compile.queries import Query, Relation
from sqlml.compile.scopes import Analysis
from sqlml.compile.slices import AGGREGATES

_NOTHING_KNOWN = ColumnFacts()

OWN = "="
"""Stands for no node: a time of the statement's own making, which nothing outside of it can name."""

# Aggregates and window functions that return what they read in one of the rows.
PICKS = (
    exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.NthValue, exp.Lag,
    exp.Lead, exp.ArrayAgg,
)  # fmt: skip
# What returns elements of the array that it is given, or the array.
ELEMENTS = (exp.ArraySort, exp.ArrayFilter, exp.Bracket, exp.Explode, exp.ExplodeOuter, exp.Lateral, exp.Unnest)


class MomentReader:
    """Reads the times of one statement; of each output once.

    Args:
        parents: what is known of the columns that it reads, by node id.
    """

    def __init__(self, analysis: Analysis, parents: Mapping[str, ColumnFacts]) -> None:
        self.names = RowNames()
        self._parents = parents
        self._unique = {node_id: known.unique for node_id, known in parents.items()}
        self._analysis = analysis
        self._outputs: dict[tuple[Query, int, str | None], Times] = {}
        self._present: dict[Query, frozenset[Time]] = {}
        self._elements: dict[int, exp.Expr] = {}

    def times(self, query: Query | None, node: exp.Expr, field: str | None = None) -> Times:
        """Return what is known of an expression of `query`, or of the field of it."""
        rule: _Rule | None = _RULES.get(type(node))
        if rule is not None:
            return rule(self, query, node, field)
        if isinstance(node, AGGREGATES):
            return NOTHING if query is None else self._aggregate(query, node, field, self.group(query, node))
        if isinstance(node, ELEMENTS):
            return self.times(query, node.this, field)
        return read_operation(node, lambda part: self.times(query, part, field)) or NOTHING

    def output(self, query: Query, at: int, field: str | None = None) -> Times:
        """Return what is known of the output at position `at`."""
        key = (query, at, field)
        found = self._outputs.get(key)
        if found is None:
            self._outputs[key] = NOTHING
            found = self._outputs[key] = self._output(query, at, field)
        return found

    def column(self, relation: Relation, name: str, field: str | None = None) -> Times:
        """Return what is known of a column of a relation."""
        origin, columns = relation.origin, relation.columns
        if relation.made_of is not None:
            return self.times(None, relation.made_of, field)
        if columns is None or name == "*" or origin is None:
            return NOTHING
        if isinstance(origin, str):
            if not origin or field is not None:
                return NOTHING
            own = relation.own_name(name)
            time = frozenset([Time(origin, own, self.names.name(relation))])
            known = self._parents.get(origin, _NOTHING_KNOWN)
            return Times(time, time, unit=known.units.get(own, ""), is_present=own in known.present)
        if origin.outputs is None or len(origin.outputs) != len(columns):
            return NOTHING
        at = next((at for at, column in enumerate(columns) if column.lower() == name), None)
        return NOTHING if at is None else self.output(origin, at, field).moved(self.names, Shift((relation,)))

    def group(self, query: Query, node: exp.Expr) -> Shift:
        """Return the way from a row to the group, or the row of it, that the aggregate `node` reads."""
        group = ("group", query)
        if not _is_pick(node):
            return Shift(group)
        return Shift(("one", query, _pick_key(node, is_ignoring_nulls=False)), group)

    def window(self, query: Query, call: WindowCall) -> Shift:
        """Return the way from a row to the rows, or the row, that a window function reads."""
        order = " ".join([part.sql() for part in (*call.partition, None, *call.order) if part is not None])
        if isinstance(call.function, exp.Lag | exp.Lead):
            offset = call.function.args.get("offset")
            kind = f"{type(call.function).__name__} {offset.sql() if offset is not None else 1}"
            skipped = call.function.sql() if call.is_ignoring_nulls else ""
            return Shift(("offset", query, kind, order, len(call.partition), skipped))
        frame = call.frame.sql() if call.frame is not None else ""
        window = ("over", query, order, len(call.partition), frame)
        if not _is_pick(call.function):
            return Shift(window)
        return Shift((*window, _pick_key(call.function, call.is_ignoring_nulls)), window)

    def window_promises(self, query: Query, call: WindowCall, shift: Shift) -> tuple[Promise, ...]:
        """Return what holds of the rows that a window reads: they are no later than its own row."""
        if not call.is_backwards:
            return ()
        key = call.key.this if isinstance(call.key, exp.Ordered) else call.key
        times = self.times(query, key)
        is_strict = call.leaves_out_own and (call.is_range or self._is_unique(query, call))
        # A null is sorted before all times, unless the SQL says otherwise.
        has_nulls_first = not isinstance(call.key, exp.Ordered) or bool(call.key.args.get("nulls_first"))
        takes_nulls = has_nulls_first is not call.is_downwards
        parts = times.branches or (times,)
        found = []
        for part in parts:
            # Rows and events in one union: the row is of another side than the event.
            others = [other for other in parts if other is not part] or [part]
            moment = frozenset().union(*[other.ceilings for other in others])
            if moment and (part.is_present or not takes_nulls):
                floors = part.moved(self.names, shift).floors
                text = part.text or text_of(key)
                found.append(Promise(floors, moment, is_strict, unit="*" if is_strict else "", text=text))
        return tuple(found)

    def bind_element(self, function: exp.ArrayFilter) -> exp.Expr | None:
        """Return the condition of `filter(array, e -> condition)`, in which `e` stands for an element from now on."""
        body = function.expression
        if not isinstance(body, exp.Lambda) or not body.expressions:
            return None
        name = body.expressions[0].name.lower()
        for identifier in body.this.find_all(exp.Identifier):
            if identifier.name.lower() == name:
                self._elements[id(identifier)] = function.this
        condition: exp.Expr = body.this
        return condition

    def _output(self, query: Query, at: int, field: str | None) -> Times:
        output = (query.outputs or [])[at]
        if query.branches:
            sides = query.branches if isinstance(query.tree, exp.Union) else query.branches[:1]
            parts = [self.output(side, at, field) for side in sides]
            texts = [text_of((side.outputs or [])[at].node) for side in sides]
            return either_side([replace(part, text=text) for part, text in zip(parts, texts, strict=True)])
        if isinstance(output.node, exp.Star) or output.node.is_star:
            columns = list(output.reads.columns)
            return self.column(*columns[0], field) if len(columns) == 1 else NOTHING
        found = self.times(query, output.node, field)
        if field is not None or isinstance(unwrapped(output.node), exp.Column):
            return found
        # What is computed is itself something that others can be compared with.
        itself = Time(OWN, str(self.names.name("output", query, at)), self.names.name("row", query))
        return found.also([itself])

    def _column(self, query: Query | None, node: Any, field: str | None) -> Times:
        used, targets = self._analysis.meanings.get(id(node), (0, ()))
        if len(targets) != 1:
            return NOTHING
        if len(node.parts) > used:
            field = node.parts[used].name.lower()
        owner, name = targets[0]
        found = (
            self.output(owner, int(name), field) if isinstance(owner, Query) else self.column(owner, str(name), field)
        )
        if query is None:
            return found
        if not found.is_present and found.floors & found.ceilings & self._never_null(query):
            found = replace(found, is_present=True)
        if query.tree.args.get("group") is not None and isinstance(owner, Relation):
            # What a group is made by is the same in all of its rows.
            moved = found.moved(self.names, Shift(("group", query)))
            found = replace(found, floors=found.floors | moved.floors, ceilings=found.ceilings | moved.ceilings)
        return found

    def _never_null(self, query: Query) -> frozenset[Time]:
        found = self._present.get(query)
        if found is None:
            self._present[query] = frozenset()
            found = self._present[query] = frozenset(self._find_present(query))
        return found

    def _find_present(self, query: Query) -> Iterator[Time]:
        conditions = [join.on for join in query.joins if join.on is not None and join.side in ("", "INNER")]
        if (where := query.tree.args.get("where")) is not None:
            conditions.append(where.this)
        for condition in conditions:
            for node in present(condition):
                times = self.times(query, node)
                yield from times.floors & times.ceilings

    def _aggregate(self, query: Query, node: Any, field: str | None, shift: Shift) -> Times:
        if not isinstance(node, (*PICKS, exp.Max, exp.Min)):
            return NOTHING
        inner = self.times(query, node.this, field)
        moved = replace(inner.moved(self.names, shift), branches=())
        if _is_pick(node):
            return moved
        if isinstance(node, exp.Min):
            return replace(moved, floors=frozenset())
        # It skips nulls, so that what has no time would be known whenever others are.
        floors = moved.floors if inner.is_present else frozenset()
        return replace(moved, floors=floors, ceilings=frozenset())

    def _window(self, query: Query | None, node: Any, field: str | None) -> Times:
        if query is None or isinstance(node.this, exp.Filter):
            return NOTHING
        call = read_window(node, query)
        return self._aggregate(query, call.function, field, self.window(query, call))

    def _dot(self, query: Query | None, node: Any, field: str | None) -> Times:
        if not isinstance(node.expression, exp.Identifier):
            return NOTHING
        inner = self._elements.get(id(node.this), node.this)
        return self.times(query, inner, node.expression.name.lower())

    def _struct(self, query: Query | None, node: Any, field: str | None) -> Times:
        for entry in node.expressions:
            if isinstance(entry, exp.PropertyEQ) and entry.this.name.lower() == field:
                return self.times(query, entry.expression)
            if field is not None and entry.alias_or_name.lower() == field:
                return self.times(query, entry)
        return NOTHING

    def _subquery(self, query: Query | None, node: Any, field: str | None) -> Times:
        inner = self._analysis.subqueries.get(id(node))
        return NOTHING if inner is None or not inner.outputs else self.output(inner, 0, field)

    def _is_unique(self, query: Query, call: WindowCall) -> bool:
        """Return whether a window has no two rows of the same time: what it reads is grouped by its keys."""
        keys = [key.this if isinstance(key, exp.Ordered) else key for key in (*call.partition, *call.order)]
        group = query.tree.args.get("group")
        if group is not None:
            texts = {key.sql() for key in keys}
            return bool(group.expressions) and all(entry.sql() in texts for entry in group.expressions)
        names: set[str] = set()
        for key in keys:
            targets = self._analysis.meanings.get(id(key), (0, ()))[1]
            names.update(str(name) for owner, name in targets if isinstance(owner, Relation))
        relations = query.reads.relations
        grain = self.grain_of(relations[0]) if len(relations) == 1 else None
        return grain is not None and grain <= names

    def grain_of(self, relation: Relation) -> frozenset[str] | None:
        """Return columns (lower case) of a relation that together are unique; None: there are none for sure."""
        return relation_grain(relation, self._unique)

    def grain(self, query: Query) -> frozenset[str] | None:
        """Return outputs (lower case) that together are unique."""
        return query_grain(query, self._unique)


def _is_pick(node: exp.Expr) -> bool:
    return isinstance(node, PICKS) or (isinstance(node, exp.Max | exp.Min) and isinstance(node.this, exp.Struct))


def _pick_key(node: exp.Expr, is_ignoring_nulls: bool) -> str:
    if is_ignoring_nulls or isinstance(node.this, exp.Struct):
        return node.sql()
    by: Iterable[Any] = [node.args.get(name) for name in ("expression", "offset")]
    return " ".join([type(node).__name__, *[part.sql() for part in by if isinstance(part, exp.Expr)]])


_Rule = Callable[[MomentReader, "Query | None", Any, "str | None"], Times]

_RULES: Mapping[type[exp.Expr], _Rule] = MappingProxyType(
    {
        exp.Column: MomentReader._column,
        exp.Window: MomentReader._window,
        exp.Dot: MomentReader._dot,
        exp.Struct: MomentReader._struct,
        exp.Subquery: MomentReader._subquery,
        exp.Filter: lambda reader, query, node, field: NOTHING,
    }
)
