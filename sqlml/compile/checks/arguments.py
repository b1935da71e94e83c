"""Arguments of types that a function does not take: a call in, what Spark would refuse out.

Before: `select sum(day), size(name), year(miles) from t`, where day is a date, name a string, miles an int.
After:  "calls sum() with 'day' (date), which it does not take" and so on.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlml.compile.checks.looking import Looking
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.spark_table import ARGUMENT_KINDS, kind_of, spark_table

_SHOWN = 6


def check_arguments(looking: Looking, node: exp.Expr, name: str) -> Iterator[Problem]:
    """Yield the arguments of a call of the function `name` whose types it refuses whatever the others are."""
    refused = spark_table().arguments.get(name)
    if refused is None:
        return
    all_refused = frozenset().union(*refused)
    suspects = [value for value in _values(node) if _kind(looking, value) in all_refused]
    if not suspects:
        return
    # Only what stands where an argument does, and is all of it, is that one: sqlglot may sort or wrap them.
    for span, kinds in zip(looking.spans.arguments_of(node), refused, strict=False):
        for value in suspects:
            if _kind(looking, value) in kinds and looking.spans.of(value) == span:
                taken = [kind for kind in ARGUMENT_KINDS if kind not in kinds]
                what = f"calls {name}() with {looking.said(value)}, which it does not take there"
                yield looking.problem(what, value, f"it takes: {', '.join(taken[:_SHOWN])}")
                break


def _values(node: exp.Expr) -> Iterator[exp.Expr]:
    return map(_unwrapped, node.iter_expressions())


def _unwrapped(node: exp.Expr) -> exp.Expr:
    # What sqlglot put around an argument has no place of its own.
    while isinstance(node, exp.Func) and "start" not in node.meta and isinstance(node.this, exp.Expr):
        node = node.this
    return node


def _kind(looking: Looking, node: exp.Expr) -> str:
    found = looking.type(node)
    return "" if found is None else kind_of(found)
