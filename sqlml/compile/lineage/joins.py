"""How the relations of a FROM clause belong to each other: a Query in, those whose rows are others out.

A relation joined by equalities gives the row that belongs to this row: its columns are reached as values. One that is
joined by an inequality gives other rows, and so does a relation joined to itself by columns of different names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from sqlml.compile.lineage.conditions import conjuncts
from sqlml.compile.names import Target
from sqlml.compile.queries import Query, Relation

_COMPARES = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between)

Meanings = Mapping[int, tuple[int, tuple[Target, ...]]]


def other_relations(query: Query, meanings: Meanings) -> set[Relation]:
    """Return the relations of `query` that give other rows."""
    joined = {relation for join in query.joins for relation in join.relations}
    conditions = [join.on for join in query.joins if join.on is not None]
    where = query.tree.args.get("where")
    if where is not None:
        conditions.append(where.this)
    others: set[Relation] = set()
    for condition in conditions:
        for part in conjuncts(condition):
            if isinstance(part, exp.EQ):
                others.update(_other_self(part, joined, meanings))
            elif isinstance(part, _COMPARES) and len(compared := _relations_in(part, meanings)) == 2:
                others |= compared & joined
    return others


def _other_self(part: exp.EQ, joined: set[Relation], meanings: Meanings) -> Iterator[Relation]:
    """Yield the relation that `a.x = b.y` joins to itself by columns of different names."""
    left, right = _plain_column(part.this, meanings), _plain_column(part.expression, meanings)
    if left is None or right is None or left[1] == right[1] or left[0] is right[0]:
        return
    if left[0].origin is not None and left[0].origin == right[0].origin:
        yield from [relation for relation in (right[0], left[0]) if relation in joined][:1]


def _plain_column(node: exp.Expr, meanings: Meanings) -> tuple[Relation, str] | None:
    """Return the relation and the column that `node` is, but for casts and parentheses; None if it is more or less."""
    while isinstance(node, exp.Alias | exp.Paren | exp.Cast):
        node = node.this
    used, targets = meanings.get(id(node), (0, ()))
    if not isinstance(node, exp.Column) or used != len(node.parts) or len(targets) != 1:
        return None
    owner, name = targets[0]
    return (owner, str(name)) if isinstance(owner, Relation) else None


def _relations_in(node: exp.Expr, meanings: Meanings) -> set[Relation]:
    """Return the relations whose columns `node` reads."""
    return {
        target[0]
        for column in node.find_all(exp.Column)
        for target in meanings.get(id(column), (0, ()))[1]
        if isinstance(target[0], Relation)
    }
