"""Follows an expression of a query: its syntax tree in, what it depends on added to Dependencies.

A field of a struct that the statement itself makes is followed to what that field is made of, through aggregates,
windows and conditions, which is how `max(struct(time, value)).value` is found to be `value` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from sqlml.compile.lineage.dependencies import (
    CHOSEN,
    COUNTED,
    FILTER,
    LOOKUP,
    OTHER_ROWS,
    VALUE,
    Dependencies,
    WindowRead,
)
from sqlml.compile.lineage.reading import ITSELF, Path, Reading
from sqlml.compile.lineage.texts import text_of
from sqlml.compile.lineage.windows import WindowCall, find_ahead, place_of, read_window
from sqlml.compile.names import GENERATED
from sqlml.compile.queries import Query, Relation
from sqlml.compile.slices import AGGREGATES, ROW_FUNCTIONS

Part = tuple[exp.Expr, Path, str | None]
"""An expression, the way to it, and the field of it that is needed (None: all of it)."""


def read_expression(reading: Reading, node: exp.Expr, field: str | None, path: Path = ITSELF) -> None:
    """Add what `node` depends on to what `reading` has found."""
    stack: list[Part] = [(node, path, field)]
    while stack:
        node, path, field = stack.pop()
        rule = _RULES.get(type(node))
        if rule is not None:
            stack.extend(rule(reading, node, path, field))
        elif isinstance(node, exp.Query):
            _read_subquery(reading, node, path, field)
        elif isinstance(node, AGGREGATES) or (isinstance(node, exp.Anonymous) and _is_aggregate(node)):
            stack.extend(_aggregate(reading, node, path, field))
        elif not isinstance(node, exp.Hint):
            for child in node.iter_expressions():
                stack.append((child, path, None))


def _is_aggregate(node: exp.Anonymous) -> bool:
    name = node.name.lower()
    return name in ROW_FUNCTIONS or "agg" in name or "sketch" in name


def _column(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    tracer = reading.tracer
    meaning = tracer.analysis.meanings.get(id(node))
    if meaning is None:
        # What a GROUP BY window() is called in the SELECT list; a parameter of a lambda has no meaning either.
        if node.parts[0].name.lower() in GENERATED and reading.query is not None:
            reading.found.absorb(tracer.unknown(reading.query), path.kind)
        return
    used, targets = meaning
    parts = node.parts
    if len(parts) > used:
        field = parts[used].name.lower()
    for owner, name in targets:
        if isinstance(owner, Query):
            reading.found.absorb(tracer.output(owner, int(name), field), path.kind, tracer.move(path))
        else:
            tracer.read(owner, str(name), field, path, reading.found)
    yield from ()


def _star(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    if not isinstance(node.parent, exp.Count):
        for owner, name in reading.tracer.analysis.meanings.get(id(node), (0, ()))[1]:
            if isinstance(owner, Relation):
                reading.tracer.read(owner, str(name), None, path, reading.found)
    yield from ()


def _read_subquery(reading: Reading, node: exp.Expr, path: Path, field: str | None) -> None:
    tracer = reading.tracer
    query = tracer.analysis.subqueries.get(id(node))
    if query is None:
        return
    is_scalar = isinstance(node, exp.Subquery) and not isinstance(node.parent, exp.In | exp.Exists | exp.All | exp.Any)
    if query.outputs is None:
        reading.found.absorb(tracer.unknown(query), path.kind)
    # `in` and `exists` answer from all rows of the subquery, and from which there are.
    inner = path if is_scalar else path.at_best(OTHER_ROWS)
    move = tracer.move(path)
    for at in range(len(query.outputs or ())):
        reading.found.absorb(tracer.output(query, at, field if is_scalar else None), inner.kind, move)
    deciding = Dependencies({VALUE: dict(tracer.rows(query))})
    reading.found.absorb(deciding, FILTER if is_scalar else inner.kind, move)
    judge = tracer.judge()
    if judge is not None and path.kind < FILTER and not is_scalar:
        reading.found.absorb(judge.counted(query, None), COUNTED, move)


def _same(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    """All that it reads, each with the same field."""
    for child in node.iter_expressions():
        yield child, path, field


def _first(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    """The field of its first argument, and all of the others."""
    for child in node.iter_expressions():
        yield child, path, field if child is node.this else None


def _aggregate(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    query, judge = reading.query, reading.tracer.judge()
    path = path.at_best(OTHER_ROWS)
    if judge is not None and query is not None and not _is_over(node):
        path = path.through(judge.group(query, node))
        _note_counted(reading, node, path)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star | exp.Literal) and query is not None:
        # A count of rows is computed from what decides about them.
        where = query.tree.args.get("where")
        if where is not None:
            yield where, path, None
    condition = _filter_of(node)
    if condition is not None:
        path = path.through(reading.where(condition))
    keeps = isinstance(node, _KEEPS_FIELD)
    for child in node.iter_expressions():
        yield child, path, field if keeps and child is node.this else None


def _note_counted(reading: Reading, node: exp.Expr, path: Path) -> None:
    """Note what decided which rows an aggregate or a window reads."""
    judge, query = reading.tracer.judge(), reading.query
    if judge is None or query is None or path.kind >= FILTER:
        return
    is_count = isinstance(node, exp.Count | exp.CountIf) or node.find(exp.Column) is None
    kind = COUNTED if is_count and not isinstance(node, exp.RowNumber) else CHOSEN
    counted = judge.counted(query, node.this if isinstance(node, exp.Count) else None)
    reading.found.absorb(counted, kind, reading.tracer.move(path))


def _is_over(node: exp.Expr) -> bool:
    """Return whether an aggregate is the function of a window."""
    outer = _without_clauses(node)
    return isinstance(outer.parent, exp.Window) and outer.parent.this is outer


def _without_clauses(node: exp.Expr) -> exp.Expr:
    """Return the outermost of FILTER, IGNORE NULLS … around a function."""
    while isinstance(node.parent, exp.IgnoreNulls | exp.RespectNulls | exp.Filter) and node.parent.this is node:
        node = node.parent
    return node


def _filter_of(node: exp.Expr) -> exp.Expr | None:
    """Return the condition of an aggregate's FILTER clause."""
    while isinstance(node.parent, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        node = node.parent
        if isinstance(node, exp.Filter):
            return node.expression.this if isinstance(node.expression, exp.Where) else None
    return None


def _filtered(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    """`agg(x) filter (where y)`, `agg(x) within group (order by y)`: y is read in the same rows as x."""
    yield node.this, path, field
    path = path.at_best(OTHER_ROWS)
    judge = reading.tracer.judge()
    if judge is not None and reading.query is not None and not _is_over(node.this):
        path = path.through(judge.group(reading.query, node.this))
    yield node.expression, path, None


def _window(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    query, judge = reading.query, reading.tracer.judge()
    call = read_window(node, query)
    if path.kind < FILTER:
        reading.found.windows.add(_window_read(reading, call))
    own = path
    path = path.at_best(OTHER_ROWS)
    if judge is not None and query is not None:
        shift, promises = judge.window(query, call)
        path = path.through(promises).through(shift)
        _note_counted(reading, call.function, path)
    yield node.this, path, field
    for key in call.partition:
        yield key, own.at_best(FILTER), None
        if judge is not None:
            yield key, own.at_best(LOOKUP), None
    for key in call.order:
        # The rank of a row is computed from what it is ranked by.
        yield key, path if call.is_rank else path.at_best(FILTER), None
        if judge is not None and not call.is_rank:
            yield key, path.at_best(LOOKUP), None
    if call.frame is not None:
        yield call.frame, own.at_best(FILTER), None


def _window_read(reading: Reading, call: WindowCall) -> WindowRead:
    sorted_by, partitioned_by = Dependencies(), Dependencies()
    key = call.key.this if call.order and isinstance(call.key, exp.Ordered) else None
    if key is not None:
        read_expression(Reading(reading.tracer, reading.query, sorted_by), key, None)
    for part in call.partition:
        read_expression(Reading(reading.tracer, reading.query, partitioned_by), part, None)
    return WindowRead(
        place_of(call),
        find_ahead(call),
        text_of(key) if key is not None else "",
        frozenset([reach.leaf for kind in (VALUE, OTHER_ROWS) for reach in sorted_by.of(kind)]),
        frozenset([reach.leaf for reach in partitioned_by.of(VALUE)]),
    )


def _case(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    if node.this is not None:
        yield node.this, path, None
    before: list[exp.Expr] = []
    branches = node.args.get("ifs") or ()
    judge = reading.tracer.judge()
    for branch in branches:
        condition, value = branch.this, branch.args["true"]
        if node.this is not None or judge is None:
            yield from ((condition, path, None), (value, path, field))
            continue
        # Of branches with the same value it only matters whether one of them is taken.
        alike = [other.this for other in branches if other.args["true"] == value]
        yield condition, path.through(reading.unless(*before) + judge.either(reading.query, alike)), None
        yield value, path.through(reading.where(condition) + reading.unless(*before)), field
        before.append(condition)
    if (default := node.args.get("default")) is not None:
        yield default, path.through(reading.unless(*before)), field


def _if(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    yield node.this, path, None
    if (value := node.args.get("true")) is not None:
        yield value, path.through(reading.where(node.this)), field
    if (value := node.args.get("false")) is not None:
        yield value, path.through(reading.unless(node.this)), field


def _and(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    """What either side says matters only where the other one is true."""
    yield node.this, path.through(reading.where(node.expression)), None
    yield node.expression, path.through(reading.where(node.this)), None


def _or(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    """What either side says matters only where the other one is not true."""
    judge = reading.tracer.judge()
    if judge is None:
        yield node.this, path, None
        yield node.expression, path, None
        return
    for one, other in ((node.this, node.expression), (node.expression, node.this)):
        yield one, path.through(reading.unless(other) + judge.either(reading.query, [node])), None


def _not(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    inner = node.this
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if isinstance(inner, _COMPARISONS):
        yield from _compare(reading, inner, path, is_true=False)
    else:
        yield node.this, path, None


def _comparison(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    yield from _compare(reading, node, path, is_true=True)


def _compare(reading: Reading, node: exp.Expr, path: Path, *, is_true: bool) -> Iterator[Part]:
    judge = reading.tracer.judge()
    if judge is not None:
        path = path.through(judge.compared(reading.query, node, is_true))
    for child in node.iter_expressions():
        yield child, path, None


def _array_filter(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    judge = reading.tracer.judge()
    promises = () if judge is None else judge.elements(reading.query, node)
    yield node.this, path.through(promises), field
    yield node.expression, path, None


def _struct(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    entries: Iterable[exp.Expr] = node.expressions
    for entry in entries:
        if isinstance(entry, exp.PropertyEQ):
            if field is None or entry.this.name.lower() == field:
                yield entry.expression, path, None
        elif field is None or not isinstance(entry, exp.Column | exp.Alias) or entry.alias_or_name.lower() == field:
            yield entry, path, None


def _dot(reading: Reading, node: Any, path: Path, field: str | None) -> Iterator[Part]:
    if isinstance(node.expression, exp.Identifier):
        yield node.this, path, node.expression.name.lower()
    else:
        yield from _first(reading, node, path, None)


_Rule = Callable[[Reading, Any, Path, "str | None"], Iterator[Part]]

_COMPARISONS = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between)

# Aggregates that return one of the values they read, or all of them.
_KEEPS_FIELD = (
    exp.Max, exp.Min, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.Lag,
    exp.Lead, exp.NthValue, exp.Mode, exp.ArrayAgg,
)  # fmt: skip

_RULES: Mapping[type[exp.Expr], _Rule] = MappingProxyType(
    {
        exp.Typeof: lambda reading, node, path, field: iter(()),
        exp.Column: _column,
        exp.Star: _star,
        exp.Alias: _first,
        exp.Paren: _first,
        exp.IgnoreNulls: _first,
        exp.RespectNulls: _first,
        exp.ArraySort: _first,
        exp.Bracket: _first,
        exp.Explode: _first,
        exp.ExplodeOuter: _first,
        exp.Lateral: _first,
        exp.ArrayFilter: _array_filter,
        exp.Coalesce: _same,
        exp.Filter: _filtered,
        exp.WithinGroup: _filtered,
        exp.Window: _window,
        exp.Case: _case,
        exp.If: _if,
        exp.And: _and,
        exp.Or: _or,
        exp.Not: _not,
        **dict.fromkeys(_COMPARISONS, _comparison),
        exp.Struct: _struct,
        exp.Dot: _dot,
    }
)
"""What is read in another way than all arguments alike."""
