"""Makes what explains predictions: a fitted model and its folder in, what adds contributions to rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.errors import DataError
from sqlml.ir.estimators import explainable_estimators
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.state import Signature
from sqlml.run.ml.artifact import PIPELINE
from sqlml.run.ml.contributions.java_class import register_contributions
from sqlml.run.ml.contributions.linear import Numbers, linear_contributions, linear_predictors
from sqlml.run.ml.contributions.read_trees import read_trees
from sqlml.run.ml.contributions.trees import Node
from sqlml.run.ml.features import FEATURES

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame, SparkSession

CONTRIBUTIONS = f"{INTERNAL_PREFIX}contributions"
# Every task holds them, at about 32 bytes a node.
_MOST_NODES = 1 << 22


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explains the predictions of a fitted model.

    Attributes:
        contribute: adds the column `CONTRIBUTIONS` to scored rows: an array with a number for each of `features`.
        features: what is explained by: names of features; of what was mixed into one number all of them.
        base_values: for each output the mean of the margin over the training rows.
        offset: the column that is added to the margin as it is.
    """

    contribute: Callable[[DataFrame], DataFrame]
    features: tuple[str, ...]
    base_values: tuple[float, ...]
    offset: str | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """What an explainer is made of.

    Attributes:
        folder: of the version.
        scratch: a folder for files that Spark reads as long as the session lives.
    """

    spark: SparkSession
    fitted: PipelineModel
    signature: Signature
    folder: Path
    scratch: Path


def make_explainer(making: Making) -> Explainer:
    """Return what explains the predictions of a version.

    Raises:
        DataError: its estimator has no exact explanations, its trees have too many nodes, or it was fitted before
            means were kept.
    """
    signature = making.signature
    model: Any = making.fitted.stages[-1]
    has_trees = _has_trees(model)
    predictors = None if has_trees else linear_predictors(model)
    if signature.estimator not in explainable_estimators() or (predictors is None and not has_trees):
        what = f"'{signature.ml_model}' was fitted with '{signature.estimator}', whose predictions cannot be explained"
        raise DataError(what, fix=f"leave 'explain' out; explained are: {', '.join(explainable_estimators())}")
    named = [", ".join(features) for features in signature.slot_features]
    features = tuple(dict.fromkeys(named))
    groups = [features.index(name) for name in named]
    return (
        _explain_trees(making, features, groups)
        if predictors is None
        else _explain_linear(making, features, groups, *predictors)
    )


def _has_trees(model: Any) -> bool:
    models = getattr(model, "models", None)
    return _has_trees(models[0]) if models else hasattr(model, "toDebugString")


def _explain_linear(
    making: Making, features: tuple[str, ...], groups: Sequence[int], coefficients: Numbers, intercepts: Numbers
) -> Explainer:
    signature = making.signature
    if len(signature.slot_means) != len(groups):
        what = f"this version of '{signature.ml_model}' does not know the means of its features, which explain it"
        raise DataError(what, fix=f"fit it again: sqlml build --retrain {signature.ml_model}")
    means = np.array(signature.slot_means)
    contribute = linear_contributions(coefficients, means, groups, len(features), CONTRIBUTIONS)
    base = intercepts + coefficients @ means
    return Explainer(contribute, features, tuple(base.tolist()), signature.roles.get("offset"))


def _explain_trees(making: Making, features: tuple[str, ...], groups: Sequence[int]) -> Explainer:
    from pyspark.sql import functions as sf

    trees = list(_read_stage(making))
    nodes = sum([tree.node_count for tree in trees])
    if nodes > _MOST_NODES:
        what = f"predictions of '{making.signature.ml_model}' cannot be explained: its trees have {nodes:,} nodes"
        fix = f"fit it with a lower 'maxDepth' or fewer trees, to have at most {_MOST_NODES:,}, or leave 'explain' out"
        raise DataError(what, fix=fix)
    base = np.sum([tree.expected_value for tree in trees], axis=0)
    name = f"{CONTRIBUTIONS}_{making.fitted.stages[-1].uid}"
    register_contributions(making.spark, name, trees, groups, making.scratch)

    def contribute(rows: DataFrame) -> DataFrame:
        return rows.withColumn(CONTRIBUTIONS, sf.call_function(name, sf.col(FEATURES), sf.col("prediction")))

    return Explainer(contribute, features, tuple(base.tolist()))


def _read_stage(making: Making) -> Iterator[Node]:
    stages = making.folder.absolute() / PIPELINE / "stages"
    stage = max(stages.iterdir(), key=lambda folder: int(folder.name.partition("_")[0]))
    models = getattr(making.fitted.stages[-1], "models", ())
    if not models:
        yield from read_trees(stage)
        return
    # Of two classes the second classifier is that of class 1.
    explained = range(len(models)) if len(models) > 2 else (1,)
    for place, number in enumerate(explained):
        for tree in read_trees(stage / f"model_{number}", is_raw=True):
            yield _at(tree, place, len(explained))


def _at(node: Node, place: int, outputs: int) -> Node:
    """Return the same tree with its values in one place of several."""
    value = tuple([sum(node.value) if place == at else 0.0 for at in range(outputs)]) if node.value else ()
    return replace(node, value=value, children=tuple([_at(child, place, outputs) for child in node.children]))
