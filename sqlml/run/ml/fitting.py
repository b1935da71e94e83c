"""Fits an estimator to some rows: a task and training rows in, what is fitted and the features that it read out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Estimator
from sqlml.ir.project import MlModel, Scalar
from sqlml.ir.roles import ROLES
from sqlml.ir.transforms import FeatureTransform
from sqlml.run.ml.class_weights import FIT_WEIGHT, fit_weight_sql
from sqlml.run.ml.estimator import LABEL, DataShape, make_estimator, role_column, saved_form
from sqlml.run.ml.evaluation.rows import CARRIED, SLICES
from sqlml.run.ml.feature_checks import check_slots
from sqlml.run.ml.features import FEATURES, FeatureStages, Learnt, Target, fit_features
from sqlml.run.ml.fit_failures import fit_failures
from sqlml.run.ml.foreign import check_fitted, explained_by, returned_by
from sqlml.run.ml.labels import class_index, class_metadata
from sqlml.run.ml.layout import lay_out, partition_count, persisted
from sqlml.run.ml.role_stages import fit_role_stages
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class Task:
    """What is fitted.

    Attributes:
        classes: in the order of Spark's class index, empty unless a classifier.
        class_weights: the weight of each, empty if they have none.
        sizes: array and vector features to their length.
    """

    ml_model: MlModel
    entry: Estimator
    transforms: tuple[FeatureTransform, ...]
    label_type: str | None
    classes: tuple[Scalar, ...] = ()
    class_weights: tuple[float, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows as an estimator reads them, `rows` of them, and the stages that made them so, learnt from these rows."""

    rows: int
    features: DataFrame
    stages: FeatureStages


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit on some rows gave; `params` are those set on the estimator."""

    task: Task
    prepared: Prepared
    fitted: Any
    params: Mapping[str, Any]

    @property
    def stages(self) -> FeatureStages:
        """The stages before the estimator."""
        return self.prepared.stages

    def read(self, rows: DataFrame) -> DataFrame:
        """Return other rows as the estimator reads them."""
        return make_features(rows, self.task, self.stages)


def fit_on(rows: DataFrame, count: int, task: Task, stack: ExitStack) -> Fit:
    """Fit on `rows` alone, `count` of them, transforms and all.

    Args:
        stack: frees what is kept.
    """
    laid_out = persisted(stack, lay_out(rows, task.ml_model.keys, partition_count(count)))
    return fit_prepared(prepare(laid_out, count, task, stack), task)


def prepare(rows: DataFrame, count: int, task: Task, stack: ExitStack, learnt: Learnt | None = None) -> Prepared:
    """Return `rows`, which are laid out and kept, as the estimator reads them; transforms learn from them alone.

    Args:
        learnt: what was learnt from these rows for other tasks on them.
    """
    stages = _fit_stages(rows, task, learnt)
    return Prepared(count, persisted(stack, make_features(rows, task, stages)), stages)


def fit_prepared(prepared: Prepared, task: Task) -> Fit:
    """Fit the estimator of `task`."""
    ml_model, stages, features = task.ml_model, prepared.stages, prepared.features
    shape = DataShape(prepared.rows, stages.slots, stages.sources, stages.arities, len(task.classes))
    weight = FIT_WEIGHT if task.class_weights else None
    estimator, params = make_estimator(ml_model, task.entry, shape, weight)
    if task.entry.reads_features:
        check_slots(features, ml_model, task.entry, stages.slots)
    with fit_failures(features, ml_model, task.entry, stages.slots):
        fitted = saved_form(estimator.fit(features))
    if task.entry.is_foreign:
        task = _with_foreign(task, fitted, features, len(stages.slots))
    return Fit(task, prepared, fitted, params)


def make_features(rows: DataFrame, task: Task, stages: FeatureStages) -> DataFrame:
    """Return what an estimator reads: `features` and the columns with a role, under `role_column`'s names."""
    from pyspark.sql import functions as sf

    ml_model = task.ml_model
    for stage in stages.stages:
        rows = stage.transform(rows)
    columns = [sf.col(FEATURES)] if task.entry.reads_features else []
    columns += [sf.col(name) for name in rows.columns if name == SLICES or name.startswith(CARRIED)]
    if task.label_type is not None:
        metadata = class_metadata(task.classes) if task.classes else None
        columns.append(sf.expr(_label_sql(task)).alias(LABEL, metadata=metadata))
    for key, name in ml_model.role_columns.items():
        if ROLES[key].is_read_by_predictions:
            columns.append(sf.col(role_column(key)))
        elif key != "label":
            columns.append(sf.col(quote(name)).cast("double").alias(role_column(key)))
    features = rows.select(*columns)
    if not task.class_weights:
        return features
    return features.withColumn(FIT_WEIGHT, sf.expr(fit_weight_sql(task.class_weights, ml_model)))


def _with_foreign(task: Task, fitted: Any, features: DataFrame, slots: int) -> Task:
    """Return the task with what an estimator by import path turned out to return and to explain."""
    check_fitted(fitted, task.ml_model)
    returns = returned_by(fitted, fitted.transform(features).columns, task.entry)
    return replace(task, entry=replace(task.entry, returns=returns, explains=explained_by(fitted, slots)))


def _fit_stages(rows: DataFrame, task: Task, learnt: Learnt | None) -> FeatureStages:
    """Return the stages from the relation's columns to those that the estimator reads."""
    if not task.entry.reads_features:
        return fit_role_stages(rows, task.ml_model, task.entry)
    places = [entry.location for entry in task.ml_model.transforms]
    features = fit_features(rows, task.transforms, task.sizes, _target(task), places, learnt=learnt)
    return _with_inputs(features, task.ml_model)


def _with_inputs(stages: FeatureStages, ml_model: MlModel) -> FeatureStages:
    """Return the stages behind one that makes numbers of the columns that predictions read and that are no features."""
    from pyspark.ml.feature import SQLTransformer

    made = [
        f"CAST({quote(name)} AS DOUBLE) AS {role_column(key)}"
        for key, name in ml_model.role_columns.items()
        if ROLES[key].is_read_by_predictions
    ]
    if not made:
        return stages
    first = SQLTransformer(statement=f"SELECT *, {', '.join(made)} FROM __THIS__")
    return replace(stages, stages=(first, *stages.stages))


def _label_sql(task: Task) -> str:
    """Return the SQL of the label as a double; a class by its index."""
    label = task.ml_model.label or ""
    if task.classes:
        return class_index(label, task.label_type or "", task.classes)
    return f"CAST({quote(label)} AS DOUBLE)"


def _target(task: Task) -> Target | None:
    """Return the label for the words that learn from it."""
    return None if task.label_type is None else Target(_label_sql(task), len(task.classes))
