"""Windows that read later rows: the call of a window function in, the reasons out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from sqlml.compile.spans import offset_of
from sqlml.ir.lineage import LooksAhead

# Functions of a row's place in its window, whose value comes from what the window is sorted by.
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
# The frame does not count for these.
_NO_FRAME = (*_RANKS, exp.Lag, exp.Lead)


def keys_are_values(window: exp.Window) -> bool:
    """Return whether the value of the function comes from what its window is sorted by."""
    return isinstance(_function(window), _RANKS)


def find_ahead(window: exp.Window, named: exp.Expr | None) -> Iterator[LooksAhead]:
    """Yield why `window` reads later rows than its own.

    Args:
        named: the entry of the WINDOW clause that it refers to.
    """
    function = _function(window)
    order = window.args.get("order") or (named.args.get("order") if named is not None else None)
    spec = window.args.get("spec") or (named.args.get("spec") if named is not None else None)
    offset = offset_of(function) or offset_of(window)
    if isinstance(function, exp.Lead):
        yield LooksAhead(offset, "it is lead(), which reads the next rows")
        return
    if order is None:
        yield LooksAhead(offset, "it has no ORDER BY, so that it reads all rows of its partition, the later ones too")
        return
    if isinstance(function, _NO_FRAME):
        return
    first: Any = order.expressions[0]
    start, end = _frame(spec)
    if end == "following" or start == "following":
        yield LooksAhead(offset, "its frame ends with FOLLOWING")
    elif isinstance(first, exp.Ordered) and first.args.get("desc"):
        yield LooksAhead(offset, "it is sorted downwards, so that the rows before a row are the later ones")


def _frame(spec: exp.Expr | None) -> tuple[str, str]:
    if spec is None:
        return "", ""
    return tuple(str(spec.args.get(side) or "").lower() for side in ("start_side", "end_side"))  # type: ignore[return-value]


def _function(window: exp.Window) -> exp.Expr:
    """Return the function that `window` is over, without IGNORE NULLS and FILTER around it."""
    node: exp.Expr = window.this
    while isinstance(node, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        node = node.this
    return node
