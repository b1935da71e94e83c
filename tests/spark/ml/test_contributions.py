"""TreeSHAP without Spark: the tables give what the definition gives, and what the package shap gives."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from brute_force import goes_left, shapley_values

from sqlml.run.ml.contributions.shapley import TooManyWays, contributions, cut_pieces, expected_value, look_up
from sqlml.run.ml.contributions.trees import Node, Split

SLOTS = 5
CATEGORIES = 6
# Of numbers: on a threshold, between two, beyond all, missing. Of categories: those that there are, and others.
NUMBERS = (0.0, 1.0, 1.5, 2.0, 3.0, 9.0, -math.inf, math.inf, math.nan)
VALUES = (*range(CATEGORIES), CATEGORIES + 1, math.nan)


def grow(draw: random.Random, depth: int, cover: int) -> Node:
    """Return a tree of two outputs; its splits on the three numbers and two categories come again on a way."""
    if depth == 0 or cover < 2 or draw.random() < 0.1:
        return Node(cover, (draw.gauss(0, 1), draw.gauss(3, 1)))
    slot, left = draw.randrange(SLOTS), draw.randrange(1, cover)
    split = Split(slot, (float(draw.randrange(4)),))
    if slot >= 3:
        listed = sorted(draw.sample(range(CATEGORIES), draw.randrange(1, CATEGORIES)))
        split = Split(slot, tuple(map(float, listed)), CATEGORIES)
    return Node(cover, (), split, (grow(draw, depth - 1, left), grow(draw, depth - 1, cover - left)))


def look(lookup, table, row):
    """Return the row of the table that a lookup leads to."""
    leaves = [place for place, node in enumerate(lookup.nodes) if node is None]
    place = 0
    while lookup.nodes[place] is not None:
        split, left, right = lookup.nodes[place]
        place = left if goes_left(split, row) else right
    return table[leaves.index(place)]


def explain(tree, groups, rows):
    """Return for each row what each group gets: rows by outputs by groups."""
    count = max(groups) + 1
    pieces = list(cut_pieces(tree))
    lookups = look_up(pieces, 1 << 20)
    tables = [contributions(piece, lookup, groups, count) for piece, lookup in zip(pieces, lookups, strict=True)]
    found = [sum(look(*pair, row) for pair in zip(lookups, tables, strict=True)) for row in rows]
    return np.array(found).reshape(len(rows), len(expected_value(tree)), count)


@pytest.mark.parametrize("seed", range(30))
def test_tables_give_what_the_definition_gives(seed):
    draw = random.Random(seed)
    tree = grow(draw, draw.randrange(1, 7), 1000)
    if not tree.children:
        assert list(cut_pieces(tree)) == []
        return
    rows = [[*draw.choices(NUMBERS, k=3), *draw.choices(VALUES, k=2)] for _ in range(6)]
    found = explain(tree, range(SLOTS), rows)
    together = explain(tree, (0, 1, 1, 2, 0), rows)
    for number, row in enumerate(rows):
        by_slot = shapley_values([tree], row).T
        np.testing.assert_allclose(found[number], by_slot, rtol=0, atol=1e-12)
        in_groups = [by_slot[:, [0, 4]].sum(axis=1), by_slot[:, [1, 2]].sum(axis=1), by_slot[:, 3]]
        np.testing.assert_allclose(together[number], np.transpose(in_groups), rtol=0, atol=1e-12)


def test_ways_are_counted_before_they_are_kept():
    pieces = list(cut_pieces(grow(random.Random(2), 6, 1000)))
    ways = sum(len(lookup.along) for lookup in look_up(pieces, 1 << 20))
    assert len(look_up(pieces, ways)) == len(pieces)
    with pytest.raises(TooManyWays):
        look_up(pieces, ways - 1)


def nodes_of(tree, place, weight) -> Node:
    """Return a tree of scikit-learn's as one of ours."""
    cover = float(tree.weighted_n_node_samples[place])
    if tree.children_left[place] < 0:
        return Node(cover, (weight * float(tree.value[place].ravel()[0]),))
    children = tree.children_left[place], tree.children_right[place]
    split = Split(int(tree.feature[place]), (float(tree.threshold[place]),))
    return Node(cover, (), split, tuple(nodes_of(tree, child, weight) for child in children))


def test_contributions_are_those_of_shap():
    import shap
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import GradientBoostingRegressor

    numbers, target = load_diabetes(return_X_y=True)
    # Scikit-learn compares in single precision, and shap with it.
    numbers = numbers.astype(np.float32).astype(float)
    model = GradientBoostingRegressor(n_estimators=10, max_depth=5, random_state=5).fit(numbers, target)
    rows = numbers[:40]
    explained = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    trees = [nodes_of(tree.tree_, 0, model.learning_rate) for tree in model.estimators_.ravel()]
    found = sum(explain(tree, range(10), rows) for tree in trees)[:, 0]
    np.testing.assert_allclose(found, explained.shap_values(rows), rtol=0, atol=1e-9)
    base = float(model.init_.constant_.ravel()[0]) + sum(float(expected_value(tree)[0]) for tree in trees)
    assert base == pytest.approx(float(np.ravel(explained.expected_value)[0]), abs=1e-9)
