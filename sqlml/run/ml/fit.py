"""Fits an ML model: a training relation in, a saved fitted model with its signature, metrics and facts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, raise_all
from sqlml.ir.engine import Fitted
from sqlml.ir.estimators import Estimator, Problem, Returns, estimator_of
from sqlml.ir.explanations import Row
from sqlml.ir.gates import gated_datasets, measured_tops
from sqlml.ir.outputs import as_returned_by, output_columns
from sqlml.ir.project import MlModel, Scalar
from sqlml.ir.roles import ROLES
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.state import Column, Signature
from sqlml.ir.transforms import FeatureTransform, choose_transforms
from sqlml.ir.type_rules import find_type_errors
from sqlml.run.ml.artifact import save_fitted
from sqlml.run.ml.centres import cluster_sizes
from sqlml.run.ml.checks import HOLDOUT, SIDE, TRAINING, Profile, profile_rows
from sqlml.run.ml.class_weights import FIT_WEIGHT, fit_weight_sql, weigh_classes
from sqlml.run.ml.estimator import LABEL, DataShape, make_estimator, role_column, saved_form
from sqlml.run.ml.evaluation.evaluate import Evaluation, Question, evaluate
from sqlml.run.ml.evaluation.permutation import importance_rows, shuffle_features
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.evaluation.slices import check_slices, slices_sql
from sqlml.run.ml.evaluation.thresholds import FOLDS, fold_sql, learn_threshold
from sqlml.run.ml.explain import Named, explain, summarize
from sqlml.run.ml.feature_checks import check_slots
from sqlml.run.ml.features import FEATURES, FeatureStages, Target, expression_types, fit_features
from sqlml.run.ml.foreign import check_fitted, explained_by, returned_by
from sqlml.run.ml.labels import class_index, class_metadata, class_text, order_classes
from sqlml.run.ml.layout import lay_out, partition_count, persisted
from sqlml.run.ml.ranking import rank_metrics
from sqlml.run.ml.recommend import Ids
from sqlml.run.ml.role_stages import fit_role_stages
from sqlml.run.ml.split import split_rows
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.ml import Model, PipelineModel
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True)
class _Task:
    """What is fitted.

    Attributes:
        classes: in the order of Spark's class index, empty unless a classifier.
        class_weights: the weight of each, empty if they have none.
    """

    ml_model: MlModel
    entry: Estimator
    transforms: tuple[FeatureTransform, ...]
    label_type: str | None
    classes: tuple[Scalar, ...] = ()
    class_weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a fit on some rows gave; `params` are those set on the estimator, `features` what it read."""

    task: _Task
    features: DataFrame
    stages: FeatureStages
    fitted: Any
    params: Mapping[str, Any]
    partitions: int


def fit_ml_model(spark: SparkSession, ml_model: MlModel, training: DataFrame, folder: Path) -> Fitted:
    """Fit `ml_model` on the rows of `training`, measure it and save it into `folder`, which is made.

    Writes `pipeline/`, a Spark ML PipelineModel from the relation's columns to Spark's, and `signature.json`.

    Raises:
        CompileError, ErrorList: the spec does not fit the relation's columns or their types.
        DataError, ErrorList: rows that no fit can use; the column is named.
    """
    entry = estimator_of(ml_model)
    columns = columns_of(training.schema)
    raise_all(find_type_errors(ml_model, entry, columns))
    transforms = choose_transforms(columns, ml_model, entry, expression_types(training))
    task = _Task(ml_model, entry, transforms, _label_type(columns, ml_model, entry))
    with ExitStack() as stack:
        wanted = persisted(stack, _usable_rows(training, task))
        check_slices(wanted, ml_model)
        null_labels = _null_labels(wanted, task)
        rows = wanted.where(f"{quote(ml_model.label or '')} IS NOT NULL") if null_labels else wanted
        rule = split_rows(rows, ml_model)
        sided = rows.selectExpr("*", f"{rule.side} AS {SIDE}")
        profile = profile_rows(sided, ml_model, entry, task.transforms, rule.holdout is not None)
        if task.label_type and entry.problem is Problem.CLASSIFICATION:
            classes = order_classes(profile.classes[TRAINING], ml_model)
            weights = weigh_classes(ml_model, profile.classes[TRAINING], classes)
            task = replace(task, classes=classes, class_weights=weights)
        training_rows = _on_side(sided, TRAINING)
        task = _with_threshold(task, training_rows, profile)
        fit = _fit_on(training_rows, profile.rows[TRAINING], task, profile, stack)
        held_out = None
        if rule.holdout is not None:
            laid_out = lay_out(_on_side(sided, HOLDOUT), ml_model.keys, partition_count(profile.rows[HOLDOUT]))
            held_out = _features(laid_out, fit.task, fit.stages)
        measured = _measure(fit, held_out, stack)
        tables = dict(measured.tables)
        if ml_model.has_permutations and rule.holdout is not None:
            tables["permutation_importances"] = _permute(_on_side(sided, HOLDOUT), profile.rows[HOLDOUT], fit)
        used = profile.rows[TRAINING]
        if ml_model.refit == "all":
            used += profile.rows[HOLDOUT]
            fit = _fit_on(sided.where(f"{SIDE} IS NOT NULL").drop(SIDE), used, fit.task, profile, stack)
        signature = _signature(fit.task, fit.stages, columns)
        named = Named(fit.stages.slots, fit.stages.sources, tuple(class_text(value) for value in task.classes))
        tables |= explain(fit.fitted, fit.task.entry, named)
        if sizes := cluster_sizes(fit.fitted):
            of_rows = {"dataset": TRAINING, "slice": ""}
            tables["cluster_sizes"] = [{**of_rows, "cluster": at, "size": size} for at, size in enumerate(sizes)]
        tables["metrics"] = [asdict(metric) for metric in measured.metrics]
        save_fitted(_pipeline(fit.stages, fit.fitted), signature, tables, folder)
    facts = {
        "rows": dict(profile.rows) | {"null_label": null_labels},
        "split": dict(rule.facts),
        "layout": {"partitions": fit.partitions, "keys": list(ml_model.keys)},
        "cluster_sizes": sizes,
        "summary": summarize(fit.fitted),
        **_facts(fit, profile, ml_model),
    }
    return Fitted(signature, measured.metrics, used, facts)


def _fit_on(rows: DataFrame, count: int, task: _Task, profile: Profile, stack: ExitStack) -> _Fit:
    """Fit on `rows` alone, `count` of them, transforms and all.

    Args:
        stack: frees what is kept.
    """
    ml_model, partitions = task.ml_model, partition_count(count)
    laid_out = persisted(stack, lay_out(rows, ml_model.keys, partitions))
    stages = _fit_stages(laid_out, task, profile)
    shape = DataShape(count, len(stages.slots), stages.arities, len(task.classes))
    weight = FIT_WEIGHT if task.class_weights else None
    estimator, params = make_estimator(ml_model, task.entry, shape, weight)
    features = persisted(stack, _features(laid_out, task, stages))
    if task.entry.reads_features:
        check_slots(features, ml_model, task.entry, stages.slots)
    fitted = saved_form(estimator.fit(features))
    if task.entry.is_foreign:
        task = _with_foreign(task, fitted, features, len(stages.slots))
    return _Fit(task, features, stages, fitted, params, partitions)


def _permute(held_out: DataFrame, count: int, fit: _Fit) -> list[Row]:
    """Return how much worse the fit gets on held-out rows with each of its features shuffled."""
    names = [transform.column for transform in fit.task.transforms]
    shuffled = _features(shuffle_features(held_out, names, count), fit.task, fit.stages)
    question = replace(_question(fit.task), gated=frozenset())
    return importance_rows(evaluate({TRAINING: fit.fitted.transform(shuffled)}, fit.fitted, question).metrics)


def _with_threshold(task: _Task, rows: DataFrame, profile: Profile) -> _Task:
    """Return the task with its threshold, learnt by fits on all folds but one, each on the fold that it has not seen.

    Args:
        rows: the training rows.
    """
    rule = task.ml_model.threshold_rule
    if rule is None:
        return task
    fold, parts = fold_sql(rows, task.ml_model), []
    with ExitStack() as stack:
        for number in range(FOLDS):
            fit = _fit_on(rows.where(f"{fold} != {number}"), profile.rows[TRAINING], task, profile, stack)
            parts.append(fit.fitted.transform(_features(rows.where(f"{fold} = {number}"), fit.task, fit.stages)))
        threshold = learn_threshold(reduce(lambda one, other: one.unionAll(other), parts), rule)
    return replace(task, ml_model=replace(task.ml_model, threshold=threshold))


def _label_type(columns: Sequence[Column], ml_model: MlModel, entry: Estimator) -> str | None:
    if not entry.needs_label or ml_model.label is None:
        return None
    return next(column.type for column in columns if column.name.lower() == ml_model.label.lower())


def _usable_rows(training: DataFrame, task: _Task) -> DataFrame:
    """Return the rows after `where:` with the columns that the ML model reads, in the relation's order.

    Columns that are not read must not decide a hash, else adding one would change the split and the layout.
    """
    ml_model = task.ml_model
    rows = training.where(ml_model.where) if ml_model.where else training
    roles = {name.lower() for name in (*ml_model.roles, *ml_model.split.columns_read)}
    read = roles | {transform.column.lower() for transform in task.transforms}
    names = [quote(column.name) for column in columns_of(rows.schema) if column.name.lower() in read]
    slices = slices_sql(ml_model)
    return rows.selectExpr(*names, *([f"{slices} AS {SLICES}"] if slices else []))


def _on_side(sided: DataFrame, side: str) -> DataFrame:
    return sided.where(f"{SIDE} = '{side}'").drop(SIDE)


def _null_labels(rows: DataFrame, task: _Task) -> int:
    """Return how many rows have no label.

    Raises:
        DataError: there are some, and the ML model says `null_label: error`.
    """
    if task.label_type is None:
        return 0
    ml_model = task.ml_model
    count = rows.where(f"{quote(ml_model.label or '')} IS NULL").count()
    if count and ml_model.null_label == "error":
        raise DataError(
            f"label '{ml_model.label}' of ml model '{ml_model.name}' is null in {count} rows",
            ml_model.places.value_of("null_label"),
            "leave them out by 'where:', or say null_label: drop",
        )
    return count


def _with_foreign(task: _Task, fitted: Any, features: DataFrame, slots: int) -> _Task:
    """Return the task with what an estimator by import path turned out to return and to explain."""
    check_fitted(fitted, task.ml_model)
    returns = returned_by(fitted, fitted.transform(features).columns, task.entry)
    return replace(task, entry=replace(task.entry, returns=returns, explains=explained_by(fitted, slots)))


def _fit_stages(rows: DataFrame, task: _Task, profile: Profile) -> FeatureStages:
    """Return the stages from the relation's columns to those that the estimator reads."""
    if not task.entry.reads_features:
        return fit_role_stages(rows, task.ml_model, task.entry)
    places = [entry.location for entry in task.ml_model.transforms]
    features = fit_features(rows, task.transforms, profile.sizes, _target(task), places)
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


def _label_sql(task: _Task) -> str:
    """Return the SQL of the label as a double; a class by its index."""
    label = task.ml_model.label or ""
    if task.classes:
        return class_index(label, task.label_type or "", task.classes)
    return f"CAST({quote(label)} AS DOUBLE)"


def _target(task: _Task) -> Target | None:
    """Return the label for the words that learn from it."""
    return None if task.label_type is None else Target(_label_sql(task), len(task.classes))


def _features(rows: DataFrame, task: _Task, stages: FeatureStages) -> DataFrame:
    """Return what an estimator reads: `features` and the columns with a role, under `role_column`'s names."""
    from pyspark.sql import functions as sf

    ml_model = task.ml_model
    for stage in stages.stages:
        rows = stage.transform(rows)
    columns = [sf.col(FEATURES)] if task.entry.reads_features else []
    columns += [sf.col(SLICES)] if SLICES in rows.columns else []
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


def _question(task: _Task) -> Question:
    ml_model = task.ml_model
    return Question(
        task.entry,
        tuple(class_text(value) for value in task.classes),
        measured_tops(ml_model),
        gated_datasets(ml_model),
        has_median=ml_model.baseline == "median",
    )


def _measure(fit: _Fit, held_out: DataFrame | None, stack: ExitStack) -> Evaluation:
    """Return what a fit is measured by, on the rows that it was fitted on and on those held out, if there are any."""
    scored = {TRAINING: fit.fitted.transform(fit.features)}
    if held_out is not None:
        scored[HOLDOUT] = fit.fitted.transform(held_out)
    question = _question(fit.task)
    measured = evaluate(scored, fit.fitted, question)
    if held_out is None or fit.task.entry.problem is not Problem.RECOMMENDATION:
        return measured
    ids, kept = Ids(fit.stages.stages[-1], fit.fitted), persisted(stack, held_out)
    ranked = rank_metrics(ids, fit.task.ml_model, fit.features, kept, dataset=HOLDOUT, question=question)
    return replace(measured, metrics=(*measured.metrics, *ranked))


def _pipeline(stages: FeatureStages, fitted: Model) -> PipelineModel:
    from pyspark.ml import PipelineModel

    return PipelineModel([*stages.stages, fitted])


def _signature(task: _Task, stages: FeatureStages, columns: Sequence[Column]) -> Signature:
    by_name = {column.name: column for column in columns}
    by_key = {column.name.lower(): column for column in columns}
    label = task.ml_model.label if task.label_type else None
    inputs = tuple(by_key[name.lower()] for name in task.ml_model.inputs)
    learnt_type = inputs[0].type if task.entry.returns is Returns.ITEMS else task.label_type
    return Signature(
        ml_model=task.ml_model.name,
        estimator=task.entry.name,
        returns=task.entry.returns,
        features=tuple(by_name[transform.column] for transform in task.transforms),
        slots=stages.slots,
        slot_features=stages.sources,
        outputs=as_returned_by(task.entry, output_columns(task.entry.returns, label, learnt_type, len(task.classes))),
        inputs=inputs,
        label=label,
        label_type=task.label_type,
        classes=task.classes,
        threshold=task.ml_model.threshold,
        settings=dict(PINNED_SETTINGS),
        roles=dict(task.ml_model.role_columns),
    )


def _facts(fit: _Fit, profile: Profile, spec: MlModel) -> dict[str, Any]:
    """Return what a version remembers beside its signature, fit to be written as JSON."""
    task, stages, params = fit.task, fit.stages, fit.params
    given = task.ml_model.params
    facts: dict[str, Any] = {}
    if spec.threshold_rule is not None:
        facts["threshold"] = {"learnt": task.ml_model.threshold, "by": asdict(spec.threshold_rule), "folds": FOLDS}
    if task.class_weights:
        names = [class_text(value) for value in task.classes]
        facts["class_weights"] = dict(zip(names, task.class_weights, strict=True))
    if spec.refit == "all":
        facts["refit"] = {"rows": profile.rows[TRAINING] + profile.rows[HOLDOUT]}
    return facts | {
        "classes": {
            side: {class_text(value): counts.get(value, 0) for value in task.classes}
            for side, counts in profile.classes.items()
            if task.classes and counts
        },
        "params": dict(params),
        "params_added": {name: value for name, value in params.items() if given.get(name) != value},
        "transforms": [transform.describe() for transform in task.transforms],
        "warnings": [f"feature '{column}' has one value in all training rows" for column in profile.constant],
        "categories": {column: len(labels) for column, labels in stages.categories.items()},
    }
