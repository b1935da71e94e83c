"""Lays trees out as `TreeShap.java` reads them: trees in, bytes out."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sqlml.run.ml.contributions.trees import Node


@dataclass(slots=True)
class _Packed:
    """The trees as columns; nodes and leaves are numbered as they are met, left before right."""

    roots: list[int] = field(default_factory=list)
    slot: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    categories: list[int] = field(default_factory=list)
    is_left: list[bool] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)
    depth: int = 0
    most_slots: int = 1

    def add(self, node: Node, share: float, slots: tuple[int, ...]) -> None:
        """Add a node, to which came `share` of the rows of its parent by splits on `slots`, and all below it."""
        here = len(self.slot)
        self.depth = max(self.depth, len(slots))
        self.most_slots = max(self.most_slots, len(set(slots)))
        self.share.append(share)
        self.slot.append(-1 if node.split is None else node.split.slot)
        self.right.append(len(self.values))
        self.categories.append(-1)
        self.threshold.append(0.0)
        if node.split is None:
            self.values.append(node.value)
            return
        self.threshold[here] = node.split.categories if node.split.is_of_categories else node.split.values[0]
        if node.split.is_of_categories:
            self.categories[here] = len(self.is_left)
            self.is_left += node.split.sides
        left, right = node.children
        self.add(left, node.share(left), (*slots, node.split.slot))
        self.right[here] = len(self.slot)
        self.add(right, node.share(right), (*slots, node.split.slot))


def pack_trees(trees: Sequence[Node], groups: Sequence[int]) -> bytes:
    """Return the trees, what each slot of the vector belongs to, and the points that integrate over the deepest way.

    Whole numbers have 4 bytes, others 8, the greatest byte first; before each list its length.
    """
    packed = _Packed()
    for tree in trees:
        packed.roots.append(len(packed.slot))
        packed.add(tree, 1.0, ())
    points, weights = np.polynomial.legendre.leggauss((packed.most_slots + 1) // 2)
    whole = (packed.roots, packed.slot, packed.right, packed.categories, groups, packed.is_left)
    values = np.array(packed.values)
    real = (packed.threshold, packed.share, values.ravel(), (points + 1) / 2, weights / 2)
    parts = [struct.pack(">iii", max(groups) + 1, values.shape[1], packed.depth)]
    for lists, kind in ((whole, ">i4"), (real, ">f8")):
        for numbers in lists:
            parts += [struct.pack(">i", len(numbers)), np.asarray(numbers).astype(kind).tobytes()]
    return b"".join(parts)
