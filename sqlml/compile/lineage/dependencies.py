"""What one output depends on while it is followed: columns of parent nodes by the way they are reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlml.ir.lineage import LooksAhead

VALUE, OTHER_ROWS, FILTER = 0, 1, 2
"""Ways to reach a column, the weaker ones later: what is reached along several is reached by the weakest of them."""

Leaf = tuple[str, str]
"""Node id and column in lower case; `*` for any column."""


@dataclass(frozen=True, slots=True)
class LeafBound:
    """A `Bound` (see `sqlml.ir.lineage`) over leaves."""

    known_at: frozenset[Leaf]
    moment: frozenset[Leaf]
    text: str


Bounds = frozenset[LeafBound]
NONE: Bounds = frozenset()


@dataclass(slots=True)
class Dependencies:
    """What an output depends on.

    Attributes:
        values, others: columns reached as value and in other rows, with what bounds every way to them.
        filters: columns that only decide about rows.
        unknown: nodes of which it may be any column.
        is_copy: the output is one column, unchanged.
        ahead: windows on the way that read later rows.
    """

    values: dict[Leaf, Bounds] = field(default_factory=dict)
    others: dict[Leaf, Bounds] = field(default_factory=dict)
    filters: set[Leaf] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    is_copy: bool = False
    ahead: set[LooksAhead] = field(default_factory=set)

    def add(self, leaf: Leaf, kind: int, bounds: Bounds = NONE) -> None:
        """Note that `leaf` is reached."""
        if kind == FILTER:
            self.filters.add(leaf)
            return
        reached = self.values if kind == VALUE else self.others
        before = reached.get(leaf)
        # A bound counts if it holds on every way.
        reached[leaf] = bounds if before is None else before & bounds

    def absorb(self, inner: Dependencies, kind: int, bounds: Bounds = NONE) -> None:
        """Note what is reached through `inner`."""
        self.unknown |= inner.unknown
        if kind == FILTER:
            self.filters |= inner.all()
            return
        self.filters |= inner.filters
        self.ahead |= inner.ahead
        for leaf, held in inner.values.items():
            self.add(leaf, kind, held | bounds if bounds else held)
        for leaf, held in inner.others.items():
            self.add(leaf, OTHER_ROWS, held | bounds if bounds else held)

    def all(self) -> set[Leaf]:
        """Return every column reached."""
        return {*self.values, *self.others, *self.filters}
