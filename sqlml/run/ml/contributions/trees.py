"""Trees as data: nodes with their splits and covers."""

from __future__ import annotations

from dataclasses import dataclass


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
    def sides(self) -> list[bool]:
        """Whether each category goes left, and last whether every value does that is none of them."""
        # As Spark keeps the shorter of both lists, what is on neither goes the way of the longer one.
        is_shorter = len(self.values) <= self.categories // 2
        return [*[category in self.values for category in range(self.categories)], not is_shorter]


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
    def node_count(self) -> int:
        """How many nodes there are from here on."""
        return sum([child.node_count for child in self.children], 1)

    @property
    def expected_value(self) -> tuple[float, ...]:
        """Return the mean of the leaves' values over the training rows: what is known before any feature is."""
        if not self.children:
            return self.value
        left, right = [(self.share(child), child.expected_value) for child in self.children]
        return tuple([left[0] * one + right[0] * other for one, other in zip(left[1], right[1], strict=True)])

    def share(self, child: Node) -> float:
        """Return the share of the training rows that go on to `child`."""
        # Of rows that all weigh nothing any share is as good.
        return child.cover / self.cover if self.cover > 0 else 1 / len(self.children)
