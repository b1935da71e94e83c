"""TreeSHAP as tables: a tree with its covers in, small decision trees whose leaves hold contributions out.

What a leaf of a tree adds to a feature depends on nothing but which of the features on its way a row goes along with
(Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020, algorithm 1).
So it is worked out once for each way in which rows can go along, and a row finds it by a few comparisons (as in
Yang, "Fast TreeSHAP: accelerating SHAP value computation for trees", 2021, version 2, but for several leaves at once).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sqlml.run.ml.contributions.trees import Known, Node, Split, implied_side, learn_side

Numbers: TypeAlias = NDArray[np.float64]
Step: TypeAlias = tuple[int, Node, bool]
"""A node on the way to a leaf: its place in the piece, itself, and whether the way goes left."""

# What is looked up at once: more of a tree makes fewer lookups in greater tables.
_COMPARISONS = 8


class TooManyWays(Exception):
    """Rows can go along with the leaves in more ways than may be kept."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf, and the way to it.

    Attributes:
        slots: those that are asked for on the way, each once.
        shares: for each slot the share of the training rows that go along wherever it is asked for.
        steps: places in the piece of what is asked, with the place in `slots`, and whether the way goes left.
    """

    value: tuple[float, ...]
    slots: tuple[int, ...]
    shares: tuple[float, ...]
    steps: tuple[tuple[int, int, bool], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Leaves of a tree that are looked up together, and the splits that tell which of them a row goes along with."""

    splits: tuple[Split, ...]
    leaves: tuple[Leaf, ...]


@dataclass(slots=True)
class Lookup:
    """A decision tree whose leaves are ways of going along with the leaves of a piece.

    Attributes:
        nodes: parents first: a split with the places of left and right, or None for a leaf.
        along: for each leaf of this, in order, and each leaf of the piece: bits of the slots that the row goes along
            with.
    """

    nodes: list[tuple[Split, int, int] | None] = field(default_factory=list)
    along: list[tuple[int, ...]] = field(default_factory=list)


def expected_value(node: Node) -> Numbers:
    """Return the mean of the leaves' values over the training rows: what is known of a row before any feature is."""
    if not node.children:
        return np.array(node.value)
    left, right = [node.share(child) * expected_value(child) for child in node.children]
    return left + right


def cut_pieces(node: Node, way: tuple[Step, ...] = ()) -> Iterator[Piece]:
    """Yield the pieces of a tree; a tree without any split has none."""
    own = node.comparisons
    if (not node.children and way) or own == 1 or 0 < own <= _COMPARISONS - len(way):
        yield _piece(node, way)
        return
    for is_left, child in zip((True, False), node.children, strict=False):
        yield from cut_pieces(child, (*way, (len(way), node, is_left)))


def _piece(node: Node, way: tuple[Step, ...]) -> Piece:
    asked = [step[1] for step in way]
    leaves = []

    def walk(node: Node, way: tuple[Step, ...]) -> None:
        if not node.children:
            leaves.append(_leaf(node.value, way))
            return
        asked.append(node)
        place = len(asked) - 1
        for is_left, child in zip((True, False), node.children, strict=True):
            walk(child, (*way, (place, node, is_left)))

    walk(node, way)
    return Piece(tuple([node.split for node in asked if node.split is not None]), tuple(leaves))


def _leaf(value: tuple[float, ...], way: Sequence[Step]) -> Leaf:
    shares: dict[int, float] = {}
    for _, node, is_left in way:
        slot = -1 if node.split is None else node.split.slot
        shares[slot] = shares.get(slot, 1.0) * node.share(node.children[0 if is_left else 1])
    slots = tuple(shares)
    steps = [(place, slots.index(node.split.slot), is_left) for place, node, is_left in way if node.split is not None]
    return Leaf(value, slots, tuple(shares.values()), tuple(steps))


def look_up(pieces: Iterable[Piece], most: int) -> list[Lookup]:
    """Return what finds with which slots of which leaves of each piece a row goes along.

    Raises:
        TooManyWays: there are more than `most` ways, of all pieces together.
    """
    lookups = []
    for piece in pieces:
        lookups.append(_look_up(piece, most))
        most -= len(lookups[-1].along)
    return lookups


def _look_up(piece: Piece, most: int) -> Lookup:
    """Ask nothing that follows from what was asked before, nor what no leaf still needs to be told."""
    lookup, splits = Lookup(), piece.splits
    asking: list[list[tuple[int, int, bool]]] = [[] for _ in splits]
    for number, leaf in enumerate(piece.leaves):
        for place, at, is_left in leaf.steps:
            asking[place].append((number, 1 << at, is_left))

    def go(along: tuple[int, ...], place: int, side: bool) -> tuple[int, ...]:
        after = list(along)
        for number, bit, is_left in asking[place]:
            if is_left != side:
                after[number] &= ~bit
        return tuple(after)

    def grow(place: int, along: tuple[int, ...], known: Known) -> None:
        while place < len(splits):
            if any(along[number] & bit for number, bit, _ in asking[place]):
                side = implied_side(known, splits[place])
                if side is None:
                    break
                along = go(along, place, side)
            place += 1
        if place == len(splits):
            if len(lookup.along) >= most:
                raise TooManyWays
            lookup.nodes.append(None)
            lookup.along.append(along)
            return
        here, children = len(lookup.nodes), []
        lookup.nodes.append(None)
        for side in (True, False):
            children.append(len(lookup.nodes))
            grow(place + 1, go(along, place, side), learn_side(known, splits[place], side))
        lookup.nodes[here] = (splits[place], children[0], children[1])

    grow(0, tuple([(1 << len(leaf.slots)) - 1 for leaf in piece.leaves]), {})
    return lookup


def contributions(piece: Piece, lookup: Lookup, groups: Sequence[int], group_count: int) -> Numbers:
    """Return what each group of slots gets at each leaf of `lookup`: one row a leaf; columns by output, then by group.

    Args:
        groups: for each slot of the vector the group that it belongs to.
    """
    along = np.array(lookup.along, dtype=object)
    outputs = len(piece.leaves[0].value)
    total = np.zeros((len(along), outputs * group_count))
    for number, leaf in enumerate(piece.leaves):
        bits = along[:, number, None] >> np.arange(len(leaf.slots), dtype=object)
        spread = np.zeros((len(leaf.slots), outputs * group_count))
        for at, slot in enumerate(leaf.slots):
            spread[at, groups[slot] :: group_count] = leaf.value
        total += shapley_shares(leaf.shares, (bits & 1).astype(bool)) @ spread
    return total


def shapley_shares(shares: Sequence[float], along: NDArray[np.bool_]) -> Numbers:
    """Return the Shapley values of the slots on the way to a leaf of value 1: one row for each of `along`.

    With o = 1 where a row goes along and z the share of the training rows that do, knowing the slots S of a row gives
    prod(o in S) * prod(z outside of S). The weight of S in the value of slot i among d, |S|! (d - 1 - |S|)! / d!, is
    the integral of t^|S| (1 - t)^(d - 1 - |S|) over t from 0 to 1 (the multilinear extension of Owen, 1972), and so

        value(i) = (o_i - z_i) * integral of prod(t o_j + (1 - t) z_j, j other than i) dt,

    of a polynomial of degree d - 1, which d / 2 points of Gauss and Legendre integrate exactly.

    Args:
        shares: z of each slot.
        along: o, one row for each way of going along and one column for each slot.
    """
    z, o = np.array(shares), along.astype(float)
    points, weights = np.polynomial.legendre.leggauss((len(z) + 1) // 2)
    total = np.zeros_like(o)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factors = point * o + (1 - point) * z
        ones = np.ones((len(o), 1))
        before = np.cumprod(np.hstack([ones, factors[:, :-1]]), axis=1)
        behind = np.cumprod(np.hstack([ones, factors[:, :0:-1]]), axis=1)[:, ::-1]
        total += weight * before * behind
    values: Numbers = (o - z) * total
    return values
