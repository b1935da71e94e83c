"""Follows an expression of a query: its syntax tree in, what it depends on added to Dependencies.

A field of a struct that the statement itself makes is followed to what that field is made of, through aggregates,
windows and conditions, which is how `max(struct(time, value)).value` is found to be `value` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from sqlglot import exp

from sqlml.compile.lineage.dependencies import FILTER, OTHER_ROWS, VALUE, Dependencies, Leaf
from sqlml.compile.lineage.windows import find_ahead, keys_are_values
from sqlml.compile.names import GENERATED
from sqlml.compile.queries import Query, Relation
from sqlml.compile.scopes import Analysis
from sqlml.compile.slices import AGGREGATES, ROW_FUNCTIONS

Part = tuple[exp.Expr, int, str | None]
"""An expression, how what it reads is reached, and the field of it that is needed (None: all of it)."""


class Tracer(Protocol):
    """What follows columns further (see `statements`)."""

    analysis: Analysis

    def output(self, query: Query, at: int, field: str | None = None) -> Dependencies:
        """Return what an output, or a field of it, depends on."""
        ...

    def rows(self, query: Query) -> frozenset[Leaf]:
        """Return what decides which rows `query` has."""
        ...

    def unknown(self, query: Query) -> Dependencies:
        """Return that anything of what `query` reads may be meant."""
        ...

    def read(self, relation: Relation, name: str, field: str | None, kind: int, found: Dependencies) -> bool:
        """Add what a column of a relation depends on, and return whether it is a copy."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression that is being followed.

    Attributes:
        query: whose expression it is; None for the arguments of a generator.
    """

    tracer: Tracer
    query: Query | None
    found: Dependencies

    def is_copy(self, column: exp.Column) -> bool:
        """Return whether `column` has the value of one parent's column, unchanged."""
        used, targets = self.tracer.analysis.meanings.get(id(column), (0, ()))
        if used != len(column.parts) or len(targets) != 1:
            return False
        owner, name = targets[0]
        if isinstance(owner, Query):
            return self.tracer.output(owner, int(name)).is_copy
        return self.tracer.read(owner, str(name), None, VALUE, Dependencies())


def read_expression(reading: Reading, node: exp.Expr, field: str | None, kind: int = VALUE) -> None:
    """Add what `node` depends on to what `reading` has found."""
    stack: list[Part] = [(node, kind, field)]
    while stack:
        node, kind, field = stack.pop()
        rule = _RULES.get(type(node))
        if rule is not None:
            stack.extend(rule(reading, node, kind, field))
        elif isinstance(node, exp.Query):
            _read_subquery(reading, node, kind, field)
        elif isinstance(node, AGGREGATES) or (isinstance(node, exp.Anonymous) and _is_aggregate(node)):
            stack.extend(_aggregate(reading, node, kind, field))
        elif not isinstance(node, exp.Hint):
            for child in node.iter_expressions():
                stack.append((child, kind, None))


def _is_aggregate(node: exp.Anonymous) -> bool:
    name = node.name.lower()
    return name in ROW_FUNCTIONS or "agg" in name or "sketch" in name


def _column(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    analysis = reading.tracer.analysis
    meaning = analysis.meanings.get(id(node))
    if meaning is None:
        # What a GROUP BY window() is called in the SELECT list; a parameter of a lambda has no meaning either.
        if node.parts[0].name.lower() in GENERATED and reading.query is not None:
            reading.found.absorb(reading.tracer.unknown(reading.query), kind)
        return
    used, targets = meaning
    parts = node.parts
    if len(parts) > used:
        field = parts[used].name.lower()
    for owner, name in targets:
        if isinstance(owner, Query):
            reading.found.absorb(reading.tracer.output(owner, int(name), field), kind)
        else:
            reading.tracer.read(owner, str(name), field, kind, reading.found)
    yield from ()


def _star(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    if not isinstance(node.parent, exp.Count):
        for owner, name in reading.tracer.analysis.meanings.get(id(node), (0, ()))[1]:
            if isinstance(owner, Relation):
                reading.tracer.read(owner, str(name), None, kind, reading.found)
    yield from ()


def _read_subquery(reading: Reading, node: exp.Expr, kind: int, field: str | None) -> None:
    tracer = reading.tracer
    query = tracer.analysis.subqueries.get(id(node))
    if query is None:
        return
    is_scalar = isinstance(node, exp.Subquery) and not isinstance(node.parent, exp.In | exp.Exists | exp.All | exp.Any)
    if query.outputs is None:
        reading.found.absorb(tracer.unknown(query), kind)
    # `in` and `exists` answer from all rows of the subquery, and from which there are.
    inner = kind if is_scalar else max(kind, OTHER_ROWS)
    for at in range(len(query.outputs or ())):
        reading.found.absorb(tracer.output(query, at, field if is_scalar else None), inner)
    for leaf in tracer.rows(query):
        reading.found.add(leaf, FILTER if is_scalar else inner)


def _same(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    """All that it reads, each with the same field."""
    for child in node.iter_expressions():
        yield child, kind, field


def _first(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    """The field of its first argument, and all of the others."""
    for child in node.iter_expressions():
        yield child, kind, field if child is node.this else None


def _aggregate(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    kind = max(kind, OTHER_ROWS)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star | exp.Literal) and reading.query is not None:
        # A count of rows is computed from what decides about them.
        where = reading.query.tree.args.get("where")
        if where is not None:
            yield where, kind, None
    keeps = isinstance(node, _KEEPS_FIELD)
    for child in node.iter_expressions():
        yield child, kind, field if keeps and child is node.this else None


def _filtered(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    """`agg(x) filter (where y)`, `agg(x) within group (order by y)`: y is read in the same rows as x."""
    yield node.this, kind, field
    yield node.expression, max(kind, OTHER_ROWS), None


def _window(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    query = reading.query
    named = None
    if query is not None and node.args.get("alias") is not None:
        windows = query.tree.args.get("windows") or ()
        name = node.args["alias"].name.lower()
        named = next((window for window in windows if window.this.name.lower() == name), None)
    if kind != FILTER:
        reading.found.ahead.update(find_ahead(node, named))
    yield node.this, max(kind, OTHER_ROWS), field
    for window in (node, named):
        if window is None:
            continue
        for key in window.args.get("partition_by") or ():
            yield key, FILTER, None
        if (order := window.args.get("order")) is not None:
            # The rank of a row is computed from what it is ranked by.
            yield order, max(kind, OTHER_ROWS) if keys_are_values(node) else FILTER, None
        if (spec := window.args.get("spec")) is not None:
            yield spec, FILTER, None


def _case(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    if node.this is not None:
        yield node.this, kind, None
    for branch in node.args.get("ifs") or ():
        yield branch, kind, field
    if (default := node.args.get("default")) is not None:
        yield default, kind, field


def _if(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    yield node.this, kind, None
    for branch in (node.args.get("true"), node.args.get("false")):
        if branch is not None:
            yield branch, kind, field


def _struct(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    entries: Iterable[exp.Expr] = node.expressions
    for entry in entries:
        if isinstance(entry, exp.PropertyEQ):
            if field is None or entry.this.name.lower() == field:
                yield entry.expression, kind, None
        elif field is None or not isinstance(entry, exp.Column | exp.Alias) or entry.alias_or_name.lower() == field:
            yield entry, kind, None


def _dot(reading: Reading, node: Any, kind: int, field: str | None) -> Iterator[Part]:
    if isinstance(node.expression, exp.Identifier):
        yield node.this, kind, node.expression.name.lower()
    else:
        yield from _first(reading, node, kind, None)


_Rule = Callable[[Reading, Any, int, "str | None"], Iterator[Part]]

# Aggregates that return one of the values they read.
_KEEPS_FIELD = (
    exp.Max, exp.Min, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.Lag,
    exp.Lead, exp.NthValue, exp.Mode,
)  # fmt: skip

_RULES: Mapping[type[exp.Expr], _Rule] = MappingProxyType(
    {
        exp.Typeof: lambda reading, node, kind, field: iter(()),
        exp.Column: _column,
        exp.Star: _star,
        exp.Alias: _first,
        exp.Paren: _first,
        exp.IgnoreNulls: _first,
        exp.RespectNulls: _first,
        exp.Coalesce: _same,
        exp.Filter: _filtered,
        exp.WithinGroup: _filtered,
        exp.Window: _window,
        exp.Case: _case,
        exp.If: _if,
        exp.Struct: _struct,
        exp.Dot: _dot,
    }
)
"""What is read in another way than all arguments alike."""
