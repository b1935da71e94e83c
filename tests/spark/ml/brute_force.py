"""Shapley values by their definition: a tree's value for every set of known slots, each set weighed."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np


def goes_left(split, row):
    """Return where Spark sends a row, as its class CategoricalSplit says it: the shorter list of categories is kept."""
    value = row[split.slot]
    if split.categories < 0:
        return value <= split.values[0]
    left = set(split.values)
    is_left = len(left) <= split.categories // 2
    kept = left if is_left else set(range(split.categories)) - left
    return (value in kept) is is_left


def tree_value(node, row, known):
    """Return what a tree says of a row of which the slots `known` are known: elsewhere both ways, by their covers."""
    if not node.children:
        return np.array(node.value)
    left, right = node.children
    if node.split.slot in known:
        return tree_value(left if goes_left(node.split, row) else right, row, known)
    shares = left.cover / node.cover, right.cover / node.cover
    return shares[0] * tree_value(left, row, known) + shares[1] * tree_value(right, row, known)


def shapley_values(trees, row):
    """Return one row for each slot, one column for each output."""
    slots = range(len(row))
    values = {
        known: sum(tree_value(tree, row, known) for tree in trees)
        for size in range(len(row) + 1)
        for known in combinations(slots, size)
    }
    found = np.zeros((len(row), len(values[()])))
    for known, value in values.items():
        for slot in set(slots) - set(known):
            weight = math.factorial(len(known)) * math.factorial(len(row) - len(known) - 1) / math.factorial(len(row))
            found[slot] += weight * (values[tuple(sorted((*known, slot)))] - value)
    return found
