"""Reads the trees of a fitted model from where Spark saved them: a stage's folder in, their roots out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.parquet as pq

from sqlml.run.ml.contributions.trees import Node, Split

Saved: TypeAlias = Mapping[str, Any]
"""A node as Spark saves it."""


def read_trees(folder: Path, is_raw: bool = False) -> list[Node]:
    """Return the trees whose leaves add up to the margin of the model that Spark saved in `folder`.

    The leaves of a classifier have a value for each class, but for two classes that of class 1 alone, and
    boosted trees that of class 1. The margin is the prediction of a regressor, the probabilities of trees and forests,
    and the log-odds of boosted trees.

    Args:
        is_raw: the margin is Spark's rawPrediction of class 1: votes, rows of leaves, half of the log-odds.
    """
    metadata = json.loads(next((folder / "metadata").glob("part-*")).read_text(encoding="utf-8"))
    of_class = metadata["class"].rpartition(".")[2]
    nodes = _nodes(folder)
    weights = [1.0] * len(nodes)
    if of_class.startswith("GBT"):
        saved = pq.read_table(folder / "treesMetadata").to_pylist()
        weights = [float(tree["_3"]) for tree in sorted(saved, key=lambda tree: int(tree["_1"]))]
    if of_class == "GBTClassificationModel" and not is_raw:
        weights = [2 * weight for weight in weights]
    if of_class.startswith("RandomForest") and not (is_raw and of_class.endswith("ClassificationModel")):
        weights = [1 / len(nodes)] * len(nodes)
    is_of_classes = of_class.endswith("ClassificationModel") and not of_class.startswith("GBT")
    value = _shares(is_raw, is_counts=is_raw and of_class.startswith("DecisionTree")) if is_of_classes else _prediction
    cover = sum if is_of_classes else _first
    return [_grow(tree, cover, value, weight) for tree, weight in zip(nodes, weights, strict=True)]


def _nodes(folder: Path) -> list[list[Saved]]:
    """Return the nodes of each tree by their numbers, which are higher for children than for parents."""
    trees: dict[int, list[Saved]] = {}
    for row in pq.read_table(folder / "data").to_pylist():
        trees.setdefault(row.get("treeID", 0), []).append(row.get("nodeData", row))
    return [sorted(trees[number], key=lambda node: int(node["id"])) for number in sorted(trees)]


def _grow(
    saved: Sequence[Saved],
    cover: Callable[[Iterable[float]], float],
    value: Callable[[Saved], Sequence[float]],
    weight: float,
) -> Node:
    grown: dict[int, Node] = {}
    for node in reversed(saved):
        weighs = float(cover(node["impurityStats"]))
        if node["leftChild"] < 0:
            grown[node["id"]] = Node(weighs, tuple([weight * number for number in value(node)]))
            continue
        found = node["split"]
        split = Split(found["featureIndex"], tuple(found["leftCategoriesOrThreshold"]), found["numCategories"])
        grown[node["id"]] = Node(weighs, (), split, (grown[node["leftChild"]], grown[node["rightChild"]]))
    return grown[0]


# Of numbers Spark keeps the weight of the rows, the sum and the sum of squares; of classes the weight of each.
def _first(stats: Iterable[float]) -> float:
    return next(iter(stats))


def _prediction(node: Saved) -> tuple[float, ...]:
    return (float(node["prediction"]),)


def _shares(is_of_one: bool, is_counts: bool) -> Callable[[Saved], Sequence[float]]:
    def shares(node: Saved) -> Sequence[float]:
        stats = [float(number) for number in node["impurityStats"]]
        total = 1.0 if is_counts else sum(stats) or 1.0
        return [number / total for number in (stats[1:] if is_of_one or len(stats) == 2 else stats)]

    return shares
