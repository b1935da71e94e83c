"""What one output depends on while it is followed: columns of parent nodes by the way they are reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

VALUE, OTHER_ROWS, FILTER, LOOKUP, COUNTED, CHOSEN = range(6)
"""Ways to reach a column, the weaker ones later: what is reached along several is reached by the weakest of them.

The last three are no lineage of their own and only noted where time of knowledge is judged: what a value is looked up
by (join key, partition, order of a window), and what decided which rows were counted, or read at all.
"""

Leaf = tuple[str, str]
"""Node id and column in lower case; `*` for any column."""

ROWS = ""
"""Stands for no column of a node, but for which rows it has."""


class Reach(NamedTuple):
    """A column of one row of a node."""

    node_id: str
    column: str
    row: int = 0

    @property
    def leaf(self) -> Leaf:
        """The column, of whatever row."""
        return self.node_id, self.column


class Time(NamedTuple):
    """A timestamp that another one is compared with: a column of one row of a node.

    Attributes:
        slack: the unit to which the other one was cut off: it is earlier by less than that.
        gain_s: seconds by which the other one is later, at least.
    """

    node_id: str
    column: str
    row: int = 0
    slack: str = ""
    gain_s: int = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """A condition that holds: something is earlier than a moment.

    Attributes:
        floors: what the earlier side is no earlier than.
        moment: what the later side is no later than.
        is_strict: it is earlier, not equal.
        gap_s: seconds that the later side was moved back by.
        unit: to which the later side was cut off.
        text: the earlier side, as it was written; empty if it says nothing by itself.
    """

    floors: frozenset[Time]
    moment: frozenset[Time]
    is_strict: bool = False
    gap_s: int = 0
    unit: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A Promise that holds of something that was read (see `sqlml.ir.lineage.Bound`).

    Attributes:
        floors: columns of its own row that are earlier than the moment.
    """

    floors: frozenset[Time]
    moment: frozenset[Time]
    is_strict: bool = False
    gap_s: int = 0
    unit: str = ""
    text: str = ""


Bounds = frozenset[Held]
NONE: Bounds = frozenset()
Move = Callable[[Reach, Bounds], "tuple[Reach, Bounds] | None"]
"""Changes what is reached on its way through a query: its row and its bounds; None: its row is left out."""


class WindowRead(NamedTuple):
    """A window (see `sqlml.ir.lineage.WindowUse`)."""

    offset: int
    reason: str
    key: str
    sorted_by: frozenset[Leaf]
    partitioned_by: frozenset[Leaf]


@dataclass(slots=True)
class Dependencies:
    """What an output depends on.

    Attributes:
        reached: for each way (`VALUE` …) the columns reached by it, with what bounds every way to them.
        unknown: nodes of which it may be any column.
        is_copy: the output is one column, unchanged.
        windows: those on the way.
    """

    reached: dict[int, dict[Reach, Bounds]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    is_copy: bool = False
    windows: set[WindowRead] = field(default_factory=set)

    def of(self, kind: int) -> Mapping[Reach, Bounds]:
        """Return what is reached as `kind`."""
        return self.reached.get(kind, _NOTHING)

    def add(self, reach: Reach, kind: int, bounds: Bounds = NONE) -> None:
        """Note that `reach` is reached."""
        reached = self.reached.get(kind)
        if reached is None:
            reached = self.reached[kind] = {}
        before = reached.get(reach)
        # A bound counts if it holds on every way.
        reached[reach] = bounds if before is None else before & bounds

    def absorb(self, inner: Dependencies, kind: int, move: Move | None = None) -> None:
        """Note what is reached through `inner`, each after `move`."""
        self.unknown |= inner.unknown
        if kind < FILTER:
            self.windows |= inner.windows
        for own, reached in inner.reached.items():
            becomes = _BECOMES[kind](own)
            if becomes is None:
                continue
            if move is None and becomes not in self.reached:
                self.reached[becomes] = dict(reached)
                continue
            for reach, bounds in reached.items():
                moved = (reach, bounds) if move is None else move(reach, bounds)
                if moved is not None:
                    self.add(moved[0], becomes, moved[1])

    def all(self) -> set[Reach]:
        """Return every column reached."""
        return {reach for kind in (VALUE, OTHER_ROWS, FILTER) for reach in self.of(kind)}


_NOTHING: Mapping[Reach, Bounds] = {}


_BECOMES: Mapping[int, Callable[[int], int | None]] = {
    VALUE: lambda own: own,
    OTHER_ROWS: lambda own: OTHER_ROWS if own == VALUE else own,
    FILTER: lambda own: FILTER if own <= FILTER else None,
    LOOKUP: lambda own: {FILTER: None, CHOSEN: CHOSEN}.get(own, LOOKUP),
    COUNTED: lambda own: None if own == FILTER else COUNTED,
    CHOSEN: lambda own: None if own == FILTER else CHOSEN,
}
