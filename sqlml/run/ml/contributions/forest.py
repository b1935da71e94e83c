"""Contributions of trees as one of Spark's own forests: lookups in, a fitted forest whose votes are contributions out.

A forest of classification trees adds up, over its trees, the shares of the classes at the leaf that a row comes to.
With a class for each feature, and contributions for shares, Spark computes explanations as it computes predictions,
in compiled code and whatever the number of trees.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sqlml.run.ml.contributions.shapley import Lookup, Numbers
from sqlml.run.ml.contributions.trees import Split

_FOREST = "org.apache.spark.ml.classification.RandomForestClassificationModel"
_TREE = "org.apache.spark.ml.classification.DecisionTreeClassificationModel"
_NO_SPLIT = Split(-1, ())


def vote_scale(tables: Sequence[Numbers]) -> float:
    """Return what the votes are to be multiplied by: a power of two that no contributions of a row reach together.

    The votes of a tree are shares of 1. So that they can be contributions, one more class takes what is left of the
    scale, and dividing by a power of two loses no digit.
    """
    greatest = max([float(np.abs(table).sum(axis=1).max()) for table in tables], default=0.0)
    return 2.0 ** (math.frexp(greatest)[1] + 1)


def write_forest(lookups: Sequence[Lookup], tables: Sequence[Numbers], slots: int, version: str, folder: Path) -> None:
    """Write a forest with a tree for each lookup, as Spark saves its own, into `folder`, which is made.

    Args:
        tables: for each lookup the contributions at its leaves.
        slots: length of the feature vector.
        version: of Spark.
    """
    scale, classes = vote_scale(tables), tables[0].shape[1] + 1
    params = {"impurity": "gini", "featuresCol": "features"}
    common = {"timestamp": 0, "sparkVersion": version, "paramMap": {}, "defaultParamMap": params}
    own = {"class": _FOREST, "uid": "contributions", "numFeatures": slots, "numClasses": classes}
    (folder / "metadata").mkdir(parents=True)
    document = json.dumps({**common, **own, "numTrees": len(lookups)})
    (folder / "metadata" / "part-00000").write_text(document + "\n", encoding="utf-8")
    tree = json.dumps({**common, "class": _TREE, "uid": "contribution", "numFeatures": slots, "numClasses": classes})
    numbers = np.arange(len(lookups), dtype=np.int32)
    metadata = pa.table({"_1": numbers, "_2": [tree] * len(lookups), "_3": [1.0] * len(lookups)})
    votes = [np.column_stack([table, scale - table.sum(axis=1)]) for table in tables]
    nodes = pa.concat_arrays([_nodes(lookup, part) for lookup, part in zip(lookups, votes, strict=True)])
    trees = np.repeat(numbers, [len(lookup.nodes) for lookup in lookups])
    for name, rows in (("treesMetadata", metadata), ("data", pa.table({"treeID": trees, "nodeData": nodes}))):
        (folder / name).mkdir()
        pq.write_table(rows, folder / name / "part-00000.parquet")


def _nodes(lookup: Lookup, votes: Numbers) -> pa.StructArray:
    """Return the nodes of a tree as Spark saves them."""
    count = len(lookup.nodes)
    nothing, whole = np.zeros(count), np.zeros(count, np.int64)
    is_leaf = np.array([node is None for node in lookup.nodes])
    splits = [_NO_SPLIT if node is None else node[0] for node in lookup.nodes]
    split = pa.StructArray.from_arrays(
        [
            pa.array([split.slot for split in splits], pa.int32()),
            pa.array([split.values for split in splits], pa.list_(pa.float64())),
            pa.array([split.categories for split in splits], pa.int32()),
        ],
        ["featureIndex", "leftCategoriesOrThreshold", "numCategories"],
    )
    ends = np.concatenate([[0], np.cumsum(is_leaf * votes.shape[1])])
    children = [(-1, -1) if node is None else node[1:] for node in lookup.nodes]
    columns = {
        "id": np.arange(count, dtype=np.int32),
        "prediction": nothing,
        "impurity": nothing,
        "impurityStats": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), votes.ravel()),
        "rawCount": whole,
        "gain": nothing,
        "leftChild": np.array([left for left, _ in children], np.int32),
        "rightChild": np.array([right for _, right in children], np.int32),
        "split": split,
    }
    return pa.StructArray.from_arrays([pa.array(values) for values in columns.values()], list(columns))
