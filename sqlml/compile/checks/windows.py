"""Window functions without a window, and windows without an order: a call in, what Spark would refuse out.

Before: `select row_number() as n, rank() over (partition by carrier) as r, upper(x) over () as u from t`.
After:  "calls row_number() without OVER", "calls rank() over rows without an order", "has OVER after upper(x), …".
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.checks.calls import kind_of_function, name_of
from sqlml.compile.checks.looking import Checks, Looking
from sqlml.compile.checks.problem import Problem

_WRAPS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


def _window(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    function = node.this
    while isinstance(function, _WRAPS):
        function = function.this
    name = name_of(function, looking.text)
    kind = kind_of_function(name)
    if kind in ("scalar", "generator"):
        what = f"has OVER after {looking.quoted(function)}, which is no aggregate and no window function"
        yield looking.problem(what, node, "take OVER out")
    elif kind == "window" and node.args.get("order") is None and node.args.get("alias") is None:
        what = f"calls {name}() over rows without an order"
        yield looking.problem(what, node, "add ORDER BY to its window")


def check_call(looking: Looking, node: exp.Expr, name: str) -> Iterator[Problem]:
    """Yield that the window function `name` is called without OVER."""
    if kind_of_function(name) != "window":
        return
    above = node.parent
    while isinstance(above, _WRAPS):
        above = above.parent
    if not isinstance(above, exp.Window):
        yield looking.problem(f"calls {name}() without OVER", node, "add OVER (ORDER BY …)")


CHECKS: Checks = MappingProxyType({exp.Window: _window})
