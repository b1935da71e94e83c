"""Which side of a UNION a condition leaves out: a condition in, the names of the rows that it cannot hold for out.

Before: `from (select …, true as is_row from s union all select …, false from e) where is_row`   After: the rows of e
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from sqlml.compile.lineage.conditions import null_tested
from sqlml.compile.lineage.moments import MomentReader
from sqlml.compile.lineage.rows import RowNames, Shift
from sqlml.compile.lineage.texts import unwrapped
from sqlml.compile.names import Target
from sqlml.compile.queries import Query, Relation

Branch = tuple[frozenset[int], exp.Expr]
"""The rows of one side of a set operation, and what a column is there."""


def dead_rows(
    condition: exp.Expr, query: Query, moments: MomentReader, meanings: Mapping[int, tuple[int, tuple[Target, ...]]]
) -> frozenset[int]:
    """Return the rows for which `condition`, one of several that hold, is never true."""
    tested = [column for column in condition.find_all(exp.Column) if column.find_ancestor(exp.Query) is query.tree]
    if len(tested) != 1:
        return frozenset()
    targets = meanings.get(id(tested[0]), (0, ()))[1]
    if len(targets) != 1 or not isinstance(targets[0][0], Relation):
        return frozenset()
    branches = list(_branches(targets[0][0], str(targets[0][1]), moments.names))
    if len(branches) < 2:
        return frozenset()
    dead = [rows for rows, value in branches if _is_never_true(condition, value)]
    return frozenset().union(*dead)


def null_rows(
    node: exp.Expr, moments: MomentReader, meanings: Mapping[int, tuple[int, tuple[Target, ...]]]
) -> frozenset[int]:
    """Return the rows for which the column `node` is a null that is written out."""
    targets = meanings.get(id(node), (0, ()))[1]
    if len(targets) != 1 or not isinstance(targets[0][0], Relation):
        return frozenset()
    branches = list(_branches(targets[0][0], str(targets[0][1]), moments.names))
    return frozenset().union(*[rows for rows, value in branches if isinstance(unwrapped(value), exp.Null)])


def _branches(relation: Relation, name: str, names: RowNames) -> Iterator[Branch]:
    origin, columns = relation.origin, relation.columns
    if not isinstance(origin, Query) or columns is None or len(origin.outputs or ()) != len(columns):
        return
    at = next((at for at, column in enumerate(columns) if column.lower() == name), None)
    for rows, value in _output_branches(origin, at, names) if at is not None else ():
        yield frozenset([names.shifted(row, Shift((relation,))) for row in rows]), value


def _output_branches(query: Query, at: int, names: RowNames) -> Iterator[Branch]:
    output = (query.outputs or [])[at]
    if query.branches:
        for side in query.branches if isinstance(query.tree, exp.Union) else query.branches[:1]:
            found = list(_output_branches(side, at, names))
            yield from found or [(frozenset(_rows_of(side, names)), (side.outputs or [])[at].node)]
        return
    node = unwrapped(output.node)
    if (isinstance(node, exp.Column) or node.is_star) and len(output.reads.columns) == 1:
        yield from _branches(*next(iter(output.reads.columns)), names)


def _rows_of(query: Query, names: RowNames) -> Iterator[int]:
    for side in query.branches:
        yield from _rows_of(side, names)
    for relation in query.reads.relations if not query.branches else ():
        if isinstance(relation.origin, Query):
            yield from [names.shifted(row, Shift((relation,))) for row in _rows_of(relation.origin, names)]
        else:
            yield names.name(relation)


def _is_never_true(condition: exp.Expr, value: exp.Expr) -> bool:
    """Return whether `condition` is false or null if its only column is `value`, as far as that is written out."""
    return _truth(condition, unwrapped(value)) in ("false", "null")


def _truth(node: exp.Expr, value: exp.Expr) -> str:
    """Return `true`, `false`, `null`, or nothing if it cannot be told."""
    node = unwrapped(node)
    if isinstance(node, exp.Column):
        return _as_truth(value)
    if isinstance(node, exp.Not):
        return {"true": "false", "false": "true"}.get(inner := _truth(node.this, value), inner)
    if null_tested(node) is not None:
        if isinstance(value, exp.Null):
            return "true"
        return "false" if isinstance(value, exp.Literal | exp.Boolean) else ""
    if isinstance(node, exp.EQ | exp.NEQ):
        other = node.expression if isinstance(unwrapped(node.this), exp.Column) else node.this
        if isinstance(value, exp.Null):
            return "null"
        if isinstance(value, exp.Literal | exp.Boolean) and isinstance(other, exp.Literal | exp.Boolean):
            return "true" if (value == other) is isinstance(node, exp.EQ) else "false"
    return ""


def _as_truth(value: exp.Expr) -> str:
    if isinstance(value, exp.Null):
        return "null"
    return ("true" if value.this else "false") if isinstance(value, exp.Boolean) else ""
