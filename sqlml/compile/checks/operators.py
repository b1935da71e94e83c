"""Operators on types that they do not take: an operator and its operands' types in, what Spark would refuse out.

Before: `select day + amount from t where day > is_ok`, where day is a date, amount a double, is_ok a boolean.
After:  "adds 'day' (date) and 'amount' (double)" and "compares 'day' (date) with 'is_ok' (boolean)".
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.checks.looking import Check, Checks, Looking
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.spark_table import kind_of, spark_table
from sqlml.compile.types.coercion import wider
from sqlml.compile.types.spark_types import (
    BOOLEAN,
    CALENDAR_INTERVAL,
    STRING,
    VARIANT,
    VOID,
    ArrayType,
    IntervalType,
    MapType,
    SparkType,
    StructType,
    is_integer,
    is_number,
)

NO_ORDER = "take a part of it that has an order"
_CAST = "cast one side to the type of the other"
_VERBS = {
    "add": "adds",
    "sub": "subtracts",
    "mul": "multiplies",
    "div": "divides",
    "intdiv": "divides",
    "mod": "divides",
}
_TIMES = frozenset({"date", "timestamp", "timestamp_ntz"})


def can_order(given: SparkType) -> bool:
    """Return whether values of a type have an order, as far as is known; Spark compares no others, not even by `=`."""
    if isinstance(given, ArrayType):
        return can_order(given.element)
    if isinstance(given, StructType):
        return all(can_order(field.type) for field in given.fields)
    return not isinstance(given, MapType) and given not in (VARIANT, CALENDAR_INTERVAL)


def can_meet(left: SparkType | None, right: SparkType | None) -> bool:
    """Return whether a type may hold both; also where that is not certain."""
    if left is None or right is None or wider(left, right) is not None:
        return True
    if isinstance(left, ArrayType) and isinstance(right, ArrayType):
        return can_meet(left.element, right.element)
    if isinstance(left, MapType) and isinstance(right, MapType):
        return can_meet(left.key, right.key) and can_meet(left.value, right.value)
    if isinstance(left, StructType) and isinstance(right, StructType):
        pairs = zip(left.fields, right.fields, strict=False)
        return len(left.fields) == len(right.fields) and all(can_meet(ours.type, theirs.type) for ours, theirs in pairs)
    # What Spark's matrix does not have may be anything.
    known = spark_table().operators["coalesce"]
    return kind_of(left) not in known or kind_of(right) not in known or {left, right} == {STRING, VARIANT}


def can_compare(left: SparkType | None, right: SparkType | None) -> bool:
    """Return whether Spark may compare two types."""
    if left is None or right is None:
        return True
    return can_meet(left, right) and can_order(left) and can_order(right) and {left, right} != {STRING, VARIANT}


def compared(looking: Looking, left: exp.Expr | None, right: exp.Expr | None, whole: exp.Expr) -> Iterator[Problem]:
    """Yield what is wrong with comparing two expressions."""
    if left is None or right is None or can_compare(looking.type(left), looking.type(right)):
        return
    what = f"compares {looking.said(left)} with {looking.said(right)}"
    both = [found for found in (looking.type(left), looking.type(right)) if found is not None]
    odd = next((found for found in both if not can_order(found)), None)
    fix = _CAST if odd is None else f"compare what the {kind_of(odd)} holds"
    yield looking.problem(what, whole, fix)


def _comparison(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    yield from compared(looking, node.args.get("this"), node.args.get("expression"), node)


def _between(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    for bound in ("low", "high"):
        found = list(compared(looking, node.args.get("this"), node.args.get(bound), node))
        yield from found
        if found:
            return


def _in(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    for entry in node.expressions:
        found = list(compared(looking, node.args.get("this"), entry, node))
        yield from found
        if found:
            return
    query = node.args.get("query")
    if isinstance(query, exp.Expr):
        yield from compared(looking, node.args.get("this"), query, node)


def _arithmetic(operator: str) -> Check:
    def check(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
        left, right = node.args.get("this"), node.args.get("expression")
        ours, theirs = looking.type(left), looking.type(right)
        if left is None or right is None or not spark_table().refuses(operator, ours, theirs):
            return
        verb = _VERBS.get(operator, "calculates with")
        joined = {"subtracts": "from", "multiplies": "by", "divides": "by"}.get(verb, "and")
        first, second = (right, left) if verb == "subtracts" else (left, right)
        yield looking.problem(
            f"{verb} {looking.said(first)} {joined} {looking.said(second)}", node, _mend(ours, theirs)
        )

    return check


def _mend(left: SparkType | None, right: SparkType | None) -> str:
    kinds = {kind_of(found) for found in (left, right) if found is not None}
    if kinds & _TIMES and len(kinds) > 1:
        return "move a time by an interval, as in `+ interval 2 days`"
    if kinds == {"string"}:
        return "use `||` to put texts together, or cast one to a number"
    return "cast one to a number, or take a number out of it"


def _sign(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    found = looking.type(node.this)
    is_right = found is None or is_number(found) or isinstance(found, IntervalType) or _is_odd(found)
    if not is_right and found not in (STRING, VOID, CALENDAR_INTERVAL):
        yield looking.problem(f"negates {looking.said(node.this)}", node, "use it on a number")


def _bits(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    found = looking.type(node.this)
    if found is not None and not is_integer(found) and found != VOID and not _is_odd(found):
        yield looking.problem(f"inverts the bits of {looking.said(node.this)}", node, "use it on a whole number")


def _is_odd(found: SparkType) -> bool:
    """Return whether a type is none that Spark was asked about."""
    return kind_of(found) not in spark_table().operators["add"]


def _logic(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    left, right = node.args.get("this"), node.args.get("expression")
    if not spark_table().refuses("and", looking.type(left), looking.type(right)):
        return
    for side in (left, right):
        if side is not None and looking.type(side) not in (BOOLEAN, VOID):
            yield from not_boolean(looking, side, f"{node.key.upper()} of")
            return


def _negation(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    found = looking.type(node.this)
    if found is not None and found not in (BOOLEAN, STRING, VOID) and not _is_odd(found):
        yield from not_boolean(looking, node.this, "NOT of")


def not_boolean(looking: Looking, node: exp.Expr, use: str) -> Iterator[Problem]:
    """Yield that a condition is none."""
    name = looking.quoted(node).strip("'")
    fix = f"compare it, as in `{name} > 0`" if is_number(looking.type(node)) else "write a comparison"
    yield looking.problem(f"has {use} {looking.said(node)}, which is no condition", node, fix)


def _concatenation(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    left, right = node.args.get("this"), node.args.get("expression")
    ours, theirs = looking.type(left), looking.type(right)
    are_arrays = isinstance(ours, ArrayType) and isinstance(theirs, ArrayType)
    is_wrong = not can_meet(ours, theirs) if are_arrays else spark_table().refuses("concat", ours, theirs)
    if left is not None and right is not None and is_wrong and VOID not in (ours, theirs):
        yield looking.problem(f"puts {looking.said(left)} and {looking.said(right)} together", node, _CAST)


_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
CHECKS: Checks = MappingProxyType(
    {
        **dict.fromkeys(_COMPARISONS, _comparison),
        exp.Between: _between,
        exp.In: _in,
        exp.Add: _arithmetic("add"),
        exp.Sub: _arithmetic("sub"),
        exp.Mul: _arithmetic("mul"),
        exp.Div: _arithmetic("div"),
        exp.Mod: _arithmetic("mod"),
        exp.IntDiv: _arithmetic("intdiv"),
        exp.BitwiseAnd: _arithmetic("bitwiseand"),
        exp.BitwiseOr: _arithmetic("bitwiseand"),
        exp.BitwiseXor: _arithmetic("bitwiseand"),
        exp.Neg: _sign,
        exp.BitwiseNot: _bits,
        exp.And: _logic,
        exp.Or: _logic,
        exp.Not: _negation,
        exp.DPipe: _concatenation,
    }
)
