"""Aggregates where none may be, and columns beside them: one SELECT in, what Spark would refuse out.

Before: `select carrier, origin, count(*) as n from t where sum(miles) > 1 group by carrier`.
After:  "uses 'origin', which is neither grouped nor aggregated" and "has the aggregate 'sum(miles)' in WHERE".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from sqlml.compile.checks.calls import kind_of_call
from sqlml.compile.checks.looking import Looking
from sqlml.compile.checks.problem import Problem
from sqlml.compile.types.functions.collections import is_star

_GENERATED = frozenset({"window", "session_window", "grouping__id", "spark_grouping_id"})
_LISTS = (exp.Tuple, exp.Cube, exp.Rollup, exp.GroupingSets)
_WRAPS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


@dataclass(slots=True)
class _Parts:
    """What an expression consists of, as far as grouping counts.

    Attributes:
        columns: outside of aggregates, each with the expressions around it, outermost first.
    """

    aggregates: list[exp.Expr] = field(default_factory=list)
    windows: list[exp.Window] = field(default_factory=list)
    columns: list[tuple[exp.Expr, tuple[exp.Expr, ...]]] = field(default_factory=list)


def check_aggregates(looking: Looking, tree: exp.Select) -> Iterator[Problem]:
    """Yield what is wrong with the aggregates, window functions and columns of one SELECT, subqueries left out."""
    yield from _misplaced(looking, tree)
    items = [_parts(looking, item) for item in tree.expressions]
    having = tree.args.get("having")
    group = tree.args.get("group")
    for parts in items:
        for call in parts.aggregates:
            yield from _nested(looking, call)
    if group is not None and group.args.get("all"):
        return
    is_aggregated = group is not None or having is not None or any(parts.aggregates for parts in items)
    if is_aggregated:
        yield from _ungrouped(looking, tree, items, _Grouping(looking, tree))


def _misplaced(looking: Looking, tree: exp.Select) -> Iterator[Problem]:
    where, group, having = (tree.args.get(name) for name in ("where", "group", "having"))
    # In a subquery these may be of the query around it.
    if where is not None and looking.types.scope.outer is None:
        yield from misplaced(looking, where.this, "WHERE", "write the condition after HAVING")
    if group is not None:
        for entry in grouped_by(group):
            yield from misplaced(looking, entry, "GROUP BY", "group by columns; aggregate in a CTE first")
    if having is not None:
        for window in _parts(looking, having.this).windows:
            yield _window_in(looking, window, "HAVING")


def misplaced(looking: Looking, node: exp.Expr, clause: str, fix: str) -> Iterator[Problem]:
    """Yield the aggregates and window functions of a clause that may not have any."""
    parts = _parts(looking, node)
    for call in parts.aggregates:
        yield looking.problem(f"has the aggregate {looking.quoted(call)} in {clause}", call, fix)
    for window in parts.windows:
        yield _window_in(looking, window, clause)


def _window_in(looking: Looking, window: exp.Window, clause: str) -> Problem:
    what = f"has the window function {looking.quoted(window)} in {clause}"
    return looking.problem(what, window, "compute it in a CTE, or use QUALIFY")


def _nested(looking: Looking, call: exp.Expr) -> Iterator[Problem]:
    inside: list[exp.Expr] = []
    function = call
    while isinstance(function, _WRAPS):
        inside += [part for part in function.iter_expressions() if part is not function.this]
        function = function.this
    for argument in [*inside, *function.iter_expressions()]:
        inner = _parts(looking, argument)
        for found in inner.aggregates:
            what = f"has the aggregate {looking.quoted(found)} inside of {looking.quoted(call)}"
            yield looking.problem(what, call, "compute the inner one in a CTE first")
            return
        for window in inner.windows:
            what = f"has the window function {looking.quoted(window)} inside of {looking.quoted(call)}"
            yield looking.problem(what, call, "compute the window function in a CTE first")
            return


class _Grouping:
    """What a SELECT groups by."""

    def __init__(self, looking: Looking, tree: exp.Select) -> None:
        self._looking = looking
        self.is_there = tree.args.get("group") is not None
        self._is_unknown = False
        self._columns: list[tuple[str, ...]] = []
        self._others: set[type[exp.Expr]] = set()
        items = tree.expressions
        by_alias = {item.alias.lower(): item.this for item in items if isinstance(item, exp.Alias)}
        group = tree.args.get("group")
        for entry in grouped_by(group) if group is not None else ():
            self._add(_meant(looking, entry, items, by_alias))

    def _add(self, entry: exp.Expr) -> None:
        entry = entry.unalias() if isinstance(entry, exp.Alias) else entry
        while isinstance(entry, exp.Paren):
            entry = entry.this
        if isinstance(entry, exp.Column) and self._looking.types.named(entry) is not None:
            self._columns.append(_key(self._looking, entry))
        elif isinstance(entry, exp.Literal | exp.Column):
            # An ordinal or a name that leads nowhere is a mistake of its own.
            self._is_unknown = True
        else:
            self._others.add(_shape(entry))

    def has(self, column: exp.Expr, around: Iterable[exp.Expr]) -> bool:
        """Return whether a column may be, or be within, what is grouped by."""
        if self._is_unknown:
            return True
        if isinstance(column, exp.Column):
            key = _key(self._looking, column)
            if any(key[: len(grouped)] == grouped for grouped in self._columns):
                return True
        # Spark also groups by what is equal but written otherwise, so that any expression of the same class may be it.
        return bool(self._others & {_shape(node) for node in around})


def _meant(looking: Looking, entry: exp.Expr, items: list[exp.Expr], by_alias: dict[str, exp.Expr]) -> exp.Expr:
    """Return the expression that an entry of GROUP BY stands for: an ordinal, or the alias of an output."""
    if isinstance(entry, exp.Literal) and not entry.is_string and entry.name.isdigit():
        item = items[int(entry.name) - 1] if 0 < int(entry.name) <= len(items) else entry
        return entry if kind_of_call(item.unalias(), looking.text) == "aggregate" else item
    if isinstance(entry, exp.Column) and len(entry.parts) == 1:
        found = looking.types.named(entry)
        if found is None or not found.is_column:
            return by_alias.get(entry.name.lower(), entry)
    return entry


def _shape(node: exp.Expr) -> type[exp.Expr]:
    if isinstance(node, exp.Cast):
        return exp.Cast
    return exp.Predicate if isinstance(node, exp.Predicate | exp.Not) else type(node)


def _key(looking: Looking, column: exp.Column) -> tuple[str, ...]:
    """Return the name of a column and its fields, without the relation's."""
    names = [part.name.lower() for part in column.parts]
    found = looking.types.named(column)
    return tuple(names[0 if found is None else found.parts - 1 :])


def grouped_by(group: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the single expressions of a GROUP BY clause, those of grouping sets too."""
    todo = [entry for value in group.args.values() if isinstance(value, list) for entry in value]
    while todo:
        entry = todo.pop(0)
        if isinstance(entry, _LISTS):
            todo = [*entry.expressions, *todo]
        elif isinstance(entry, exp.Paren):
            todo.insert(0, entry.this)
        elif isinstance(entry, exp.Expr):
            yield entry


def _ungrouped(looking: Looking, tree: exp.Select, items: list[_Parts], grouping: _Grouping) -> Iterator[Problem]:
    aliases = {item.alias.lower() for item in tree.expressions if isinstance(item, exp.Alias)}
    clauses = [("SELECT", parts) for parts in items]
    for name in ("having", "order"):
        clause = tree.args.get(name)
        if clause is not None:
            clauses.append((name, _parts(looking, clause)))
    for name, parts in clauses:
        for column, around in parts.columns:
            is_output = name == "order" and isinstance(column, exp.Column) and column.parts[0].name.lower() in aliases
            if not is_output and _is_of_row(looking, column) and not grouping.has(column, around):
                yield _beside(looking, column, grouping, items)


def _beside(looking: Looking, column: exp.Expr, grouping: _Grouping, items: list[_Parts]) -> Problem:
    shown = "'*'" if is_star(column) else looking.quoted(column)
    name = shown.strip("'")
    if grouping.is_there:
        what = f"uses {shown}, which is neither grouped nor aggregated"
        fix = f"add it to GROUP BY, or aggregate it, as in any_value({name})"
        return looking.problem(what, column, fix if name != "*" else "name the columns that are grouped")
    call = next((call for parts in items for call in parts.aggregates), None)
    what = f"uses {shown} beside {'HAVING' if call is None else looking.quoted(call)}, without GROUP BY"
    fix = f"add `group by {name}`, or aggregate it, as in any_value({name})"
    return looking.problem(what, column, fix if name != "*" else "name the columns, and group by them")


def _is_of_row(looking: Looking, column: exp.Expr) -> bool:
    """Return whether a column is surely one of the relations that are read here."""
    if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
        return bool(looking.types.scope.sources)
    if column.parts[0].name.lower() in _GENERATED:
        return False
    found = looking.types.named(column)
    return found is not None and found.is_column


def _is_aggregate(looking: Looking, node: exp.Expr) -> bool:
    if not isinstance(node, exp.Func | exp.Any):
        return False
    if isinstance(node, exp.Any):
        # Also the right side of `like any (…)`.
        return not isinstance(node.parent, exp.Binary)
    return kind_of_call(node, looking.text) == "aggregate"


def _parts(looking: Looking, node: exp.Expr) -> _Parts:
    """Return the aggregates, window functions and columns of an expression, not those of subqueries."""
    found = _Parts()
    stack: list[tuple[exp.Expr, tuple[exp.Expr, ...]]] = [(node, ())]
    while stack:
        node, around = stack.pop()
        if isinstance(node, exp.Query):
            continue
        if isinstance(node, exp.Window):
            found.windows.append(node)
            function = node.this
            while isinstance(function, _WRAPS):
                function = function.this
            inside = [
                *function.iter_expressions(),
                *(part for part in node.iter_expressions() if part is not node.this),
            ]
            stack.extend([(part, (*around, node)) for part in inside])
        elif isinstance(node, _WRAPS) or _is_aggregate(looking, node):
            found.aggregates.append(node)
        elif isinstance(node, exp.Column) or is_star(node):
            found.columns.append((node, (*around, node)))
        else:
            stack.extend([(part, (*around, node)) for part in node.iter_expressions()])
    found.columns.reverse()
    found.aggregates.reverse()
    return found
