"""Numbers for the rows that a statement reads, so that two values of one row are known to be so.

A row is one of a node's relation, then seen through the queries around it, and then perhaps one of a group, or the row
that a window leads to: `lag(delay) over w` and `lag(landed) over w` are of one row, `lag(landed, 2) over w` is not.
"""

from __future__ import annotations

from typing import NamedTuple


class Shift(NamedTuple):
    """A way from a row to another: a query around it, a group, a window.

    Attributes:
        key: the same for the same way.
        group: of a way to one row of a group: the way to all of them.
    """

    key: tuple[object, ...]
    group: tuple[object, ...] | None = None


class RowNames:
    """Gives the same number to the same row."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}
        self._groups: dict[int, int] = {}

    def name(self, *key: object) -> int:
        """Return the number of the row that `key` says."""
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def shifted(self, row: int, shift: Shift) -> int:
        """Return the number of the row that `shift` makes of `row`."""
        found = self.name(*shift.key, row)
        if shift.group is not None:
            self._groups[found] = self.name(*shift.group, row)
        elif row in self._groups:
            self._groups[found] = self.name(*shift.key, self._groups[row])
        return found

    def covering(self, row: int) -> frozenset[int]:
        """Return `row` and the group that it is taken from: what holds of all of the group holds of it."""
        group = self._groups.get(row)
        return frozenset((row,)) if group is None else frozenset((row, group))
