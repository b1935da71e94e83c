"""Makes what explains predictions: a fitted model and its folder in, a stage of Spark that gives contributions out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sqlml.errors import DataError
from sqlml.ir.estimators import explainable_estimators
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.state import Signature
from sqlml.run.ml.artifact import PIPELINE
from sqlml.run.ml.contributions.forest import vote_scale, write_forest
from sqlml.run.ml.contributions.linear import linear_contributions, linear_predictors
from sqlml.run.ml.contributions.read_trees import read_trees
from sqlml.run.ml.contributions.shapley import (
    Numbers,
    TooManyWays,
    contributions,
    cut_pieces,
    expected_value,
    look_up,
)
from sqlml.run.ml.contributions.trees import Node

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import SparkSession

CONTRIBUTIONS = f"{INTERNAL_PREFIX}contributions"
# In all tables together; every executor holds them.
_MOST_NUMBERS = 1 << 23


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explains the predictions of a fitted model.

    Attributes:
        stage: gives each row, as its raw prediction, the contributions divided by `scale`: by output, then by feature.
        features: what is explained by: names of features; of what was mixed into one number all of them.
        base_values: for each output the mean of the margin over the training rows.
        offset: the column that is added to the margin as it is.
    """

    stage: Any
    features: tuple[str, ...]
    base_values: tuple[float, ...]
    scale: float = 1.0
    offset: str | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """What an explainer is made of.

    Attributes:
        folder: of the version.
        scratch: a folder for files that Spark reads once.
    """

    spark: SparkSession
    fitted: PipelineModel
    signature: Signature
    folder: Path
    scratch: Path


def make_explainer(making: Making) -> Explainer:
    """Return what explains the predictions of a version.

    Raises:
        DataError: its estimator has no exact explanations, its trees are too many or too deep, or it was fitted before
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
    stage = linear_contributions(coefficients, means, groups, len(features))
    base = intercepts + coefficients @ means
    return Explainer(_named(stage), features, tuple(base.tolist()), offset=signature.roles.get("offset"))


def _explain_trees(making: Making, features: tuple[str, ...], groups: Sequence[int]) -> Explainer:
    from pyspark.ml.classification import RandomForestClassificationModel

    trees = list(_read_stage(making))
    pieces = [piece for tree in trees for piece in cut_pieces(tree)]
    base = np.sum([expected_value(tree) for tree in trees], axis=0)
    try:
        lookups = look_up(pieces, _MOST_NUMBERS // (len(base) * len(features) + 1))
    except TooManyWays as error:
        what = f"predictions of '{making.signature.ml_model}' cannot be explained: it has too many and too deep trees"
        raise DataError(what, fix="fit it with a lower 'maxDepth' or fewer trees, or leave 'explain' out") from error
    tables = [
        contributions(piece, lookup, groups, len(features)) for piece, lookup in zip(pieces, lookups, strict=True)
    ]
    making.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="explain-", dir=making.scratch) as scratch:
        folder = Path(scratch).resolve() / "forest"
        write_forest(lookups, tables, len(groups), making.spark.version, folder)
        stage = RandomForestClassificationModel.load(f"file://{folder}")
    return Explainer(_named(stage), features, tuple(base.tolist()), vote_scale(tables))


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


def _named(stage: Any) -> Any:
    """Return the stage with the name of its only column."""
    return stage.setRawPredictionCol(CONTRIBUTIONS).setProbabilityCol("").setPredictionCol("")
