"""TreeSHAP: the class that Spark runs gives what the definition gives, and what the package shap gives."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from brute_force import shapley_values, tree_value

from sqlml.run.ml.contributions.java_class import register_contributions
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


@pytest.fixture(scope="module")
def explain(spark, tmp_path_factory):
    """Return what gives, for each row, each output and each group, what a forest gets from the group."""
    from pyspark.ml.linalg import Vectors
    from pyspark.sql import functions as sf

    folder = tmp_path_factory.mktemp("jar")

    def explain(forests, rows):
        calls = []
        for at, (trees, groups) in enumerate(forests):
            register_contributions(spark, f"forest_{at}", trees, groups, folder)
            outputs = range(len(trees[0].expected_value))
            calls.append(sf.array([sf.call_function(f"forest_{at}", "features", sf.lit(float(n))) for n in outputs]))
        numbers = [(at, Vectors.dense(row)) for at, row in enumerate(rows)]
        vectors = spark.createDataFrame(numbers, ["at", "features"])
        found = vectors.select(*[call.alias(f"of_{at}") for at, call in enumerate(calls)], "at").orderBy("at").collect()
        return [np.array([row[at] for row in found]) for at in range(len(calls))]

    return explain


def test_contributions_are_what_the_definition_gives(explain):
    draw = random.Random(1)
    trees = [grow(draw, depth, 1000) for depth in (0, 1, *range(2, 7), *range(3, 9))]
    # A way that rows went which all weigh nothing, and one that some went.
    below = Node(5, (), Split(3, (2.0,), 3), (Node(2, (4.0, 1.0)), Node(3, (0.5, 7.0))))
    trees.append(Node(5, (), Split(0, (1.0,)), (Node(0, (1.0, 2.0)), below)))
    rows = [[*draw.choices(NUMBERS, k=3), *draw.choices(VALUES, k=2)] for _ in range(12)]
    together = (0, 1, 1, 2, 0)
    forests = [([tree], range(SLOTS)) for tree in trees] + [(trees[-4:], range(SLOTS)), (trees[-4:], together)]
    found = explain(forests, rows)
    for (of, groups), values in zip(forests, found, strict=True):
        for row, given in zip(rows, values, strict=True):
            by_slot = shapley_values(of, row).T
            wanted = np.zeros((len(by_slot), max(groups) + 1))
            np.add.at(wanted.T, list(groups), by_slot.T)
            np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-12)
            if groups is not together:
                total = sum(tree_value(tree, row, range(SLOTS)) - np.array(tree.expected_value) for tree in of)
                np.testing.assert_allclose(given.sum(axis=1), total, rtol=0, atol=1e-12)


def nodes_of(tree, place, weight) -> Node:
    """Return a tree of scikit-learn's as one of ours."""
    cover = float(tree.weighted_n_node_samples[place])
    if tree.children_left[place] < 0:
        return Node(cover, (weight * float(tree.value[place].ravel()[0]),))
    children = tree.children_left[place], tree.children_right[place]
    split = Split(int(tree.feature[place]), (float(tree.threshold[place]),))
    return Node(cover, (), split, tuple(nodes_of(tree, child, weight) for child in children))


def test_contributions_are_those_of_shap(explain):
    import shap
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import GradientBoostingRegressor

    numbers, target = load_diabetes(return_X_y=True)
    # Scikit-learn compares in single precision, and shap with it.
    numbers = numbers.astype(np.float32).astype(float)
    model = GradientBoostingRegressor(n_estimators=8, max_depth=9, random_state=5).fit(numbers, target)
    rows = numbers[:40]
    explained = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    trees = [nodes_of(tree.tree_, 0, model.learning_rate) for tree in model.estimators_.ravel()]
    (found,) = explain([(trees, range(10))], rows.tolist())
    np.testing.assert_allclose(found[:, 0], explained.shap_values(rows), rtol=0, atol=1e-9)
    base = float(model.init_.constant_.ravel()[0]) + sum(tree.expected_value[0] for tree in trees)
    assert base == pytest.approx(float(np.ravel(explained.expected_value)[0]), abs=1e-9)
