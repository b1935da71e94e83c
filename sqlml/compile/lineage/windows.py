"""Calls of window functions: a syntax tree in; its parts, and whether and why it reads later rows out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sqlml.compile.queries import Query
from sqlml.compile.spans import offset_of

# Functions of a row's place in its window, whose value comes from what the window is sorted by.
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
# These count all rows of the partition.
_OF_ALL = (exp.PercentRank, exp.CumeDist, exp.Ntile)
_OFFSETS = (exp.Lag, exp.Lead)


@dataclass(frozen=True, slots=True)
class WindowCall:
    """A window function with what it is over.

    Attributes:
        function: without IGNORE NULLS and FILTER around it.
        order: the entries of ORDER BY; empty without one.
        frame: ROWS or RANGE BETWEEN …; None: the default.
        is_ignoring_nulls: its argument's nulls are skipped.
    """

    function: exp.Expr
    partition: tuple[exp.Expr, ...]
    order: tuple[exp.Expr, ...]
    frame: exp.Expr | None
    is_ignoring_nulls: bool = False

    @property
    def is_rank(self) -> bool:
        """Whether its value comes from what it is sorted by."""
        return isinstance(self.function, _RANKS)

    @property
    def key(self) -> Any:
        """The first entry of ORDER BY, with its direction."""
        return self.order[0]

    @property
    def is_downwards(self) -> bool:
        """Whether it is sorted from the last to the first."""
        return bool(self.order) and isinstance(self.key, exp.Ordered) and bool(self.key.args.get("desc"))

    def sides(self) -> tuple[str, str]:
        """Return where its frame begins and ends: `preceding`, `current row`, `following`; of ORDER BY alone too."""
        if isinstance(self.function, _OFFSETS):
            side = "preceding" if isinstance(self.function, exp.Lag) else "following"
            side = _counted(self.function.args.get("offset"), side)
            return side, side
        if not self.order or isinstance(self.function, _OF_ALL):
            return "preceding", "following"
        if isinstance(self.function, _RANKS) or self.frame is None:
            return "preceding", "current row"
        start, end = [_side(self.frame, name) for name in ("start", "end")]
        return start, end or "current row"

    @property
    def is_backwards(self) -> bool:
        """Whether it reads only rows that are sorted before its own, that is, at earlier times, and its own."""
        if not self.order:
            return False
        start, end = self.sides()
        return start in ("current row", "following") if self.is_downwards else end in ("preceding", "current row")

    @property
    def leaves_out_own(self) -> bool:
        """Whether its own row is not read."""
        start, end = self.sides()
        return start == "following" if self.is_downwards else end == "preceding"

    @property
    def is_range(self) -> bool:
        """Whether its frame is measured in values of what it is sorted by, not in rows."""
        is_offset = isinstance(self.function, _OFFSETS)
        return not is_offset and (self.frame is None or str(self.frame.args.get("kind")).lower() == "range")


def read_window(window: exp.Window, query: Query | None) -> WindowCall:
    """Return the parts of `window`, those of the WINDOW clause of `query` included."""
    function: Any = window.this
    is_ignoring_nulls = False
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        is_ignoring_nulls = is_ignoring_nulls or isinstance(function, exp.IgnoreNulls)
        function = function.this
    found = [window]
    if query is not None and window.args.get("alias") is not None:
        name = window.args["alias"].name.lower()
        found += [named for named in query.tree.args.get("windows") or () if named.this.name.lower() == name]
    orders = [order for part in found if (order := part.args.get("order")) is not None]
    frames = [spec for part in found if (spec := part.args.get("spec")) is not None]
    return WindowCall(
        function,
        tuple([key for part in found for key in part.args.get("partition_by") or ()]),
        tuple(orders[0].expressions) if orders else (),
        frames[0] if frames else None,
        is_ignoring_nulls,
    )


def find_ahead(call: WindowCall) -> str:
    """Return why `call` reads later rows than its own, if it is sorted by time; empty if it does not."""
    if not call.order:
        return "it has no ORDER BY, so that it reads all rows of its partition, the later ones too"
    if call.is_backwards:
        return ""
    if isinstance(call.function, _OFFSETS) and not call.is_downwards:
        name = "lead()" if isinstance(call.function, exp.Lead) else "lag() of a negative number"
        return f"it is {name}, which reads the next rows"
    if isinstance(call.function, _OF_ALL):
        return "it compares with all rows of its partition, the later ones too"
    if call.is_downwards:
        return "it is sorted downwards, so that the rows before a row are the later ones"
    return "its frame ends with FOLLOWING"


def place_of(call: WindowCall) -> int:
    """Return the offset of the function of `call`, or of what it is sorted by."""
    return offset_of(call.function) or (offset_of(call.key) if call.order else 0)


def _side(frame: exp.Expr, name: str) -> str:
    value = frame.args.get(name)
    if str(value).upper() == "CURRENT ROW":
        return "current row"
    side = str(frame.args.get(f"{name}_side") or "").lower()
    return _counted(value, side) if side else ("current row" if value is not None else "")


def _counted(offset: Any, side: str) -> str:
    """Return the side on which the row lies that is `offset` rows from its own: a negative number turns it round."""
    if isinstance(offset, exp.Interval):
        offset = offset.this
    text = offset.name.strip() if isinstance(offset, exp.Literal) else ""
    if isinstance(offset, exp.Neg) or text.startswith("-"):
        return "following" if side == "preceding" else "preceding"
    return "current row" if text == "0" else side
