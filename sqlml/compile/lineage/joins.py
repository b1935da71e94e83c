"""How the relations of a FROM clause belong to each other: a Query in, whose rows are others and what bounds them out.

A relation joined by equalities gives the row that belongs to this row: its columns are reached as values. One that is
joined by an inequality gives other rows, and so does a relation joined to itself by columns of different names. The
inequality `event.known_at < row.event_time` bounds the event by `known_at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from sqlglot import exp

from sqlml.compile.names import Target
from sqlml.compile.queries import Query, Relation

# The shipped macros read rows and events as one UNION, and give this name to the time at which an event was known; at
# the same position the rows have the moment that is predicted for. It is in the SQL, so that it goes where that goes.
KNOWN_AT = "_sqlml_known_at"

_LESS = (exp.LT, exp.LTE)
_MORE = (exp.GT, exp.GTE)
_COMPARES = (*_LESS, *_MORE, exp.Between)

Meanings = Mapping[int, tuple[int, tuple[Target, ...]]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A promise that a relation's rows lie before something.

    Attributes:
        known_at: the side that is earlier; a cast or a plain column.
        moment: the side that is later.
    """

    known_at: exp.Expr
    moment: exp.Expr


@dataclass(slots=True)
class JoinFacts:
    """What is known of the relations of one FROM clause.

    Attributes:
        others: those that give other rows.
        bounds: what each relation is bounded by.
    """

    others: set[Relation] = field(default_factory=set)
    bounds: dict[Relation, list[Comparison]] = field(default_factory=dict)


def read_joins(query: Query, meanings: Meanings) -> JoinFacts:
    """Return what the conditions of `query` say of its relations."""
    facts = JoinFacts()
    joined = {relation for join in query.joins for relation in join.relations}
    conditions = [join.on for join in query.joins if join.on is not None]
    where = query.tree.args.get("where")
    if where is not None:
        conditions.append(where.this)
    for condition in conditions:
        for part in _conjuncts(condition):
            if isinstance(part, exp.EQ):
                facts.others.update(_other_self(part, joined, meanings))
            elif isinstance(part, _COMPARES):
                _read_comparison(part, joined, meanings, facts)
    return facts


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    todo = [condition]
    while todo:
        node = todo.pop()
        if isinstance(node, exp.And):
            todo += [node.this, node.expression]
        elif isinstance(node, exp.Paren):
            todo.append(node.this)
        else:
            yield node


def _other_self(part: exp.EQ, joined: set[Relation], meanings: Meanings) -> Iterator[Relation]:
    """Yield the relation that `a.x = b.y` joins to itself by columns of different names."""
    left, right = plain_column(part.this, meanings), plain_column(part.expression, meanings)
    if left is None or right is None or left[1] == right[1] or left[0] is right[0]:
        return
    if left[0].origin is not None and left[0].origin == right[0].origin:
        yield from [relation for relation in (right[0], left[0]) if relation in joined][:1]


def _read_comparison(part: exp.Expr, joined: set[Relation], meanings: Meanings, facts: JoinFacts) -> None:
    for earlier, later in _sides(part):
        before, after = relations_in(earlier, meanings), relations_in(later, meanings)
        if not before or not after or before & after:
            continue
        facts.others |= (before | after) & joined if len(before | after) == 2 else set()
        found = plain_column(earlier, meanings)
        if found is not None and is_moment(later):
            facts.bounds.setdefault(found[0], []).append(Comparison(earlier, later))


def _sides(part: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Yield what is earlier and what is later."""
    if isinstance(part, _LESS):
        yield part.this, part.expression
    elif isinstance(part, _MORE):
        yield part.expression, part.this
    elif isinstance(part, exp.Between):
        yield part.args["low"], part.this
        yield part.this, part.args["high"]


def is_moment(node: exp.Expr) -> bool:
    """Return whether `node` is a column, or no later than one: `dep - interval 1 hour`, `date_trunc('day', dep)`.

    What is added to a column may move it past the moment that is predicted for.
    """
    node = unwrapped(node)
    while isinstance(node, exp.Sub | exp.TimestampTrunc | exp.DateTrunc):
        if isinstance(node, exp.Sub) and not _is_positive(node.expression):
            return False
        node = unwrapped(node.this)
    return isinstance(node, exp.Column)


def _is_positive(node: exp.Expr) -> bool:
    return isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal) and "-" not in node.this.name


def plain_column(node: exp.Expr, meanings: Meanings) -> tuple[Relation, str] | None:
    """Return the relation and the column that `node` is, but for casts and parentheses; None if it is more or less."""
    column = unwrapped(node)
    if not isinstance(column, exp.Column):
        return None
    used, targets = meanings.get(id(column), (0, ()))
    if used != len(column.parts) or len(targets) != 1 or not _is_column(targets[0]):
        return None
    return targets[0]


def unwrapped(node: exp.Expr) -> exp.Expr:
    """Return `node` without names, parentheses and casts around it."""
    while isinstance(node, exp.Alias | exp.Paren | exp.Cast):
        node = node.this
    return node


def _is_column(target: Target) -> TypeGuard[tuple[Relation, str]]:
    return isinstance(target[0], Relation)


def relations_in(node: exp.Expr, meanings: Meanings) -> set[Relation]:
    """Return the relations whose columns `node` reads."""
    return {
        target[0]
        for column in node.find_all(exp.Column)
        for target in meanings.get(id(column), (0, ()))[1]
        if isinstance(target[0], Relation)
    }


def known_at_item(query: Query) -> int | None:
    """Return the position of the output that a shipped macro called the time at which its rows were known."""
    outputs = query.outputs or ()
    return next((at for at, output in enumerate(outputs) if output.name == KNOWN_AT), None)
