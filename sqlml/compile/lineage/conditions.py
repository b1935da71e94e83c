"""What a condition says of two timestamps: a condition in, comparisons that hold where it is true, or is not, out.

Before: `e.k = s.k and not e.landed >= s.dep`   After: e.k and s.k are equal; e.landed is earlier than s.dep
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlglot import exp

from sqlml.compile.lineage.durations import amount_s


class Comparison(NamedTuple):
    """One thing is no later than another.

    Attributes:
        is_strict: it is earlier.
        is_equal: it is neither earlier nor later.
        gap_s: it is earlier by at least so many seconds.
    """

    earlier: exp.Expr
    later: exp.Expr
    is_strict: bool = False
    is_equal: bool = False
    gap_s: int = 0


def conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that all hold where `condition` does."""
    for node, is_true in _parts(condition):
        if is_true:
            yield node


def holding(condition: exp.Expr) -> Iterator[Comparison | exp.Column]:
    """Yield what holds where `condition` is true: comparisons, and columns that are true."""
    for node, is_true in _parts(condition):
        if is_true and isinstance(node, exp.Column):
            yield node
        yield from compared(node, is_true)


def ruled_out(conditions: Iterable[exp.Expr]) -> Iterator[Comparison]:
    """Yield what holds where none of `conditions` is true: each is false, or null.

    `k >= m` is not true where k is null either, so that something must say that it never is: `k is null or k >= m`.
    """
    parts = [part for condition in conditions for part in disjuncts(condition)]
    never_null = {missing.sql() for part in parts if (missing := null_tested(part)) is not None}
    for part in parts:
        for comparison in compared(part, False):
            if comparison.earlier.sql() in never_null:
                yield comparison


def present(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what is not null where `condition` is true."""
    for node, is_true in _parts(condition):
        if isinstance(node, exp.Anonymous) and node.name.lower() == "isnotnull" and is_true:
            yield from node.expressions
        elif not is_true and (tested := null_tested(node)) is not None:
            yield tested
        else:
            for comparison in compared(node, is_true):
                yield comparison.earlier
                yield comparison.later


def disjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions of which one holds where `condition` does."""
    todo = [condition]
    while todo:
        node = todo.pop()
        if isinstance(node, exp.Or):
            todo += [node.this, node.expression]
        elif isinstance(node, exp.Paren):
            todo.append(node.this)
        else:
            yield node


def null_tested(node: exp.Expr) -> exp.Expr | None:
    """Return x of `x is null`."""
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        tested: exp.Expr = node.this
        return tested
    if isinstance(node, exp.Anonymous) and node.name.lower() == "isnull" and node.expressions:
        first: exp.Expr = node.expressions[0]
        return first
    return None


def _parts(condition: exp.Expr) -> Iterator[tuple[exp.Expr, bool]]:
    """Yield conditions that are all true, or false, where `condition` is true."""
    todo = [(condition, True)]
    while todo:
        node, is_true = todo.pop()
        if isinstance(node, exp.And if is_true else exp.Or):
            todo += [(node.this, is_true), (node.expression, is_true)]
        elif isinstance(node, exp.Paren):
            todo.append((node.this, is_true))
        elif isinstance(node, exp.Not):
            todo.append((node.this, not is_true))
        elif is_true and _is_true_of(node):
            todo.append((node.this, True))
        else:
            yield node, is_true


def _is_true_of(node: exp.Expr) -> bool:
    """Return whether `node` is `x is true` or `coalesce(x, false)`."""
    if isinstance(node, exp.Is):
        return isinstance(node.expression, exp.Boolean) and bool(node.expression.this)
    if isinstance(node, exp.Coalesce):
        return all(isinstance(other, exp.Boolean) and not other.this for other in node.expressions)
    return False


_LESS = (exp.LT, exp.LTE)
_MORE = (exp.GT, exp.GTE)
_EQUAL = (exp.EQ, exp.NullSafeEQ)


def compared(node: exp.Expr, is_true: bool) -> Iterator[Comparison]:
    """Yield what a comparison says where it is true, or where it is false."""
    if isinstance(node, _LESS + _MORE):
        is_less = isinstance(node, _LESS) is is_true
        is_strict = isinstance(node, exp.LT | exp.GT) is is_true
        sides = (node.this, node.expression) if is_less else (node.expression, node.this)
        yield Comparison(*sides, is_strict)
        yield from _differences(sides[1], sides[0], is_strict)
    elif isinstance(node, exp.Between) and is_true:
        yield Comparison(node.args["low"], node.this)
        yield Comparison(node.this, node.args["high"])
        yield from _differences(node.this, node.args["low"], is_strict=False)
    elif isinstance(node, _EQUAL) and is_true:
        yield Comparison(node.this, node.expression, is_equal=True)
        yield Comparison(node.expression, node.this, is_equal=True)
        yield from _differences(node.this, node.expression, is_strict=False)


def _differences(larger: exp.Expr, smaller: exp.Expr, is_strict: bool) -> Iterator[Comparison]:
    """Yield what `datediff(m, k) >= 1`, `timestampdiff(hour, k, m) > 0` and `m - k > interval 0 seconds` say."""
    if isinstance(larger, exp.DateDiff | exp.TimestampDiff):
        least = _whole_number(smaller)
        unit = larger.args.get("unit")
        if least is not None and least + is_strict >= 1:
            gap = amount_s(exp.Literal.number(least + is_strict), unit.name if unit is not None else "day") or 0
            yield Comparison(larger.expression, larger.this, True, gap_s=gap)
    elif isinstance(larger, exp.Sub):
        gap_s = amount_s(smaller, "second")
        if gap_s is not None and gap_s >= 0 and not isinstance(larger.expression, exp.Interval | exp.Literal):
            yield Comparison(larger.expression, larger.this, is_strict or gap_s > 0)


def _whole_number(node: exp.Expr) -> int | None:
    sign = 1
    while isinstance(node, exp.Neg | exp.Paren):
        sign = -sign if isinstance(node, exp.Neg) else sign
        node = node.this
    is_number = isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()
    return sign * int(node.name) if is_number else None
