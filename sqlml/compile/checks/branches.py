"""Values of one column that no type holds: branches, elements and rows in, what Spark would refuse out.

Before: `select case when is_ok then day else 0 end as d from t`, where day is a date.
After:  "gives 'day' (date) and '0' (int) as one value".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.checks.looking import Checks, Looking
from sqlml.compile.checks.operators import NO_ORDER, can_meet, can_order, compared, not_boolean
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.spark_table import spark_table
from sqlml.compile.types.spark_types import BOOLEAN, VOID, ArrayType, StructType

_FIX = "cast them to one type"


def _meeting(looking: Looking, values: Iterable[exp.Expr | None], whole: exp.Expr) -> Iterator[Problem]:
    """Yield the first of `values` that does not fit one before it."""
    seen: list[exp.Expr] = []
    for value in values:
        if value is None or looking.type(value) is None:
            continue
        for other in seen:
            if not can_meet(looking.type(other), looking.type(value)):
                what = f"gives {looking.said(other)} and {looking.said(value)} as one value"
                yield looking.problem(what, whole, _FIX)
                return
        seen.append(value)


def _case(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    ifs = [branch for branch in node.args.get("ifs") or () if isinstance(branch, exp.Expr)]
    compares = node.args.get("this")
    for branch in ifs:
        if isinstance(compares, exp.Expr):
            yield from compared(looking, compares, branch.this, branch.this)
        else:
            yield from condition(looking, branch.this, "a WHEN of")
    yield from _meeting(looking, [*[branch.args.get("true") for branch in ifs], node.args.get("default")], node)


def condition(looking: Looking, node: exp.Expr | None, use: str) -> Iterator[Problem]:
    """Yield that what must be a condition is none."""
    found = looking.type(node)
    if node is None or found in (None, BOOLEAN, VOID) or str(found).startswith("time("):
        return
    yield from not_boolean(looking, node, use)


def _if(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    if isinstance(node.parent, exp.Case):
        return
    yield from condition(looking, node.this, "an IF of")
    yield from _meeting(looking, [node.args.get("true"), node.args.get("false")], node)


def _nvl2(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    yield from _meeting(looking, [node.args.get("true"), node.args.get("false")], node)


def _arguments(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    yield from _meeting(looking, looking.arguments(node), node)


def _greatest(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    values = looking.arguments(node)
    for at, value in enumerate(values):
        found = looking.type(value)
        if found is not None and not can_order(found):
            yield looking.problem(f"sorts by {looking.said(value)}, whose values have no order", node, NO_ORDER)
            return
        for other in values[:at]:
            ours = looking.type(other)
            both_contain = isinstance(ours, ArrayType | StructType) and isinstance(found, ArrayType | StructType)
            if not can_meet(ours, found) if both_contain else spark_table().refuses("greatest", ours, found):
                yield looking.problem(f"gives {looking.said(other)} and {looking.said(value)} as one value", node, _FIX)
                return


def _ordered(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    found = looking.type(node.this)
    if found is not None and not can_order(found):
        yield looking.problem(f"sorts by {looking.said(node.this)}, whose values have no order", node, NO_ORDER)


def _nullif(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    yield from compared(looking, node.args.get("this"), node.args.get("expression"), node)


def _values(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        wrong = next(row for row in node.expressions if len(row.expressions or [row]) != len(rows[0]))
        what = f"has VALUES with rows of {' and '.join(map(str, sorted(widths)))} columns"
        yield looking.problem(what, wrong, "give every row the same columns")
        return
    for column in zip(*rows, strict=False):
        for problem in _meeting(looking, column, column[-1]):
            yield problem
            return


def _filter(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    where = node.expression
    yield from condition(looking, where.this if isinstance(where, exp.Where) else None, "a FILTER by")


CHECKS: Checks = MappingProxyType(
    {
        exp.Case: _case,
        exp.If: _if,
        exp.Nvl2: _nvl2,
        exp.Coalesce: _arguments,
        exp.Array: _arguments,
        exp.Greatest: _greatest,
        exp.Least: _greatest,
        exp.Nullif: _nullif,
        exp.Max: _ordered,
        exp.Min: _ordered,
        exp.Values: _values,
        exp.Filter: _filter,
    }
)
