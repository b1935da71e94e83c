"""Trees as data, and what their splits imply: nodes with their covers, and what is known of a row on its way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

_ELSEWHERE = -1
"""Stands for every value that is none of a split's categories."""


@dataclass(frozen=True, slots=True)
class Split:
    """Spark's: left goes a number up to the threshold, or a category that is listed.

    Attributes:
        slot: place in the feature vector.
        values: the threshold, or the categories that go left.
        categories: how many there are; -1 for a number.
    """

    slot: int
    values: tuple[float, ...]
    categories: int = -1

    @property
    def is_of_categories(self) -> bool:
        """Whether it asks for a category."""
        return self.categories >= 0

    @property
    def left(self) -> frozenset[int]:
        """The categories that go left."""
        listed = frozenset(int(value) for value in self.values)
        # As Spark keeps the shorter of both lists, what is on neither goes the way of the longer one.
        return listed if len(listed) <= self.categories // 2 else listed | {_ELSEWHERE}


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a tree.

    Attributes:
        cover: the weight of the training rows that came here.
        value: of a leaf: one number for each output that is explained.
        split, children: of what is no leaf; the children are left and right.
    """

    cover: float
    value: tuple[float, ...] = ()
    split: Split | None = None
    children: tuple[Node, ...] = ()

    @property
    def comparisons(self) -> int:
        """How many splits there are from here on."""
        return sum([child.comparisons for child in self.children], 1 if self.children else 0)

    def share(self, child: Node) -> float:
        """Return the share of the training rows that go on to `child`."""
        # Of rows that all weigh nothing any share is as good.
        return child.cover / self.cover if self.cover > 0 else 1 / len(self.children)


# By slot: a number's greatest lower and least upper bound, or the categories that are left.
Known: TypeAlias = Mapping[int, tuple[float, float] | frozenset[int]]


def implied_side(known: Known, split: Split) -> bool | None:
    """Return whether a row of which `known` is known must go left at `split`; None: it may go both ways."""
    now = known.get(split.slot)
    if isinstance(now, frozenset):
        return True if now <= split.left else False if not now & split.left else None
    if now is None or split.is_of_categories:
        return None
    low, high = now
    # NaN, which is not up to any threshold, goes right everywhere, as what is above `low` does.
    return True if high <= split.values[0] else False if low >= split.values[0] else None


def learn_side(known: Known, split: Split, is_left: bool) -> Known:
    """Return what is known of a row once it went left, or right, at `split`."""
    now = known.get(split.slot)
    if split.is_of_categories:
        before = now if isinstance(now, frozenset) else frozenset(range(_ELSEWHERE, split.categories))
        return {**known, split.slot: before & split.left if is_left else before - split.left}
    low, high = now if isinstance(now, tuple) else (-math.inf, math.inf)
    threshold = split.values[0]
    return {**known, split.slot: (low, min(high, threshold)) if is_left else (max(low, threshold), high)}
