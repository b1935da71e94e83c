"""Fits an ML model: a training relation in, a saved fitted model with its signature, metrics and facts out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, raise_all
from sqlml.ir.comparisons import Comparison, Rival
from sqlml.ir.engine import Fitted
from sqlml.ir.estimators import Estimator, Problem, Returns, estimator_of
from sqlml.ir.explanations import Row
from sqlml.ir.outputs import as_returned_by, output_columns
from sqlml.ir.project import MlModel
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.state import Column, Signature
from sqlml.ir.transforms import choose_transforms
from sqlml.ir.type_rules import find_type_errors
from sqlml.run.ml.artifact import save_fitted
from sqlml.run.ml.backtests import backtest
from sqlml.run.ml.centres import cluster_sizes
from sqlml.run.ml.checks import HOLDOUT, SIDE, TRAINING, Profile, profile_rows
from sqlml.run.ml.class_weights import weigh_classes
from sqlml.run.ml.contributions.linear import slot_means
from sqlml.run.ml.disjoint import assert_disjoint
from sqlml.run.ml.evaluation.comparing import Contestant
from sqlml.run.ml.evaluation.evaluate import Evaluation
from sqlml.run.ml.evaluation.measure import measure, permute
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.evaluation.slices import check_slices, slices_sql
from sqlml.run.ml.explain import Named, explain, summarize
from sqlml.run.ml.features import FeatureStages, expression_types
from sqlml.run.ml.features.statistics import mark_sample
from sqlml.run.ml.fitting import Fit, Task, fit_on
from sqlml.run.ml.labels import class_text, order_classes
from sqlml.run.ml.layout import lay_out, partition_count, persisted
from sqlml.run.ml.rivals import Met, carried_columns, carried_sql, compare_with_rivals, deal_out, meet_rivals
from sqlml.run.ml.split import SplitRule, odd_share, split_rows
from sqlml.run.ml.validating import validate_on_folds
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.ml import Model, PipelineModel
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that an ML model is about.

    Attributes:
        sided: with the column `SIDE`, null for those on neither side.
        carried: the columns that only rivals read.
        null_labels: how many were left out because they have no label.
        shared_keys: how many keys are on both sides, which is none; None: there are no keys.
    """

    sided: DataFrame
    rule: SplitRule
    profile: Profile
    null_labels: int
    shared_keys: int | None
    carried: tuple[str, ...] = ()

    @property
    def training(self) -> DataFrame:
        """Those to fit on."""
        return self.sided.where(f"{SIDE} = '{TRAINING}'").drop(SIDE, *self.carried)

    @property
    def holdout(self) -> DataFrame | None:
        """Those held out, with what they carry; None: none are."""
        return None if self.rule.holdout is None else self.sided.where(f"{SIDE} = '{HOLDOUT}'").drop(SIDE)

    @property
    def all(self) -> DataFrame:
        """Both."""
        return self.sided.where(f"{SIDE} IS NOT NULL").drop(SIDE, *self.carried)


def fit_ml_model(
    spark: SparkSession, ml_model: MlModel, training: DataFrame, folder: Path, rivals: Sequence[Rival] = ()
) -> Fitted:
    """Fit `ml_model` on the rows of `training`, measure it and save it into `folder`, which is made.

    Writes `pipeline/`, a Spark ML PipelineModel from the relation's columns to Spark's, and `signature.json`.

    Args:
        rivals: whom it is compared with on held-out rows.

    Raises:
        CompileError, ErrorList: the spec does not fit the relation's columns or their types.
        DataError, ErrorList: rows that no fit can use; the column is named.
    """
    task, columns = _read_task(ml_model, training)
    with ExitStack() as stack:
        met = meet_rivals(rivals, ml_model, columns)
        rows = _read_rows(training, task, met, stack)
        task = _with_classes(task, rows.profile)
        validated = validate_on_folds(task, rows.training, lambda variant: _variant(task, variant, training))
        fit = fit_on(rows.training, rows.profile.rows[TRAINING], validated.task, stack)
        measured, comparisons = _measure_sides(fit, rows, met, stack)
        used = rows.profile.rows[TRAINING]
        if ml_model.refit == "all":
            used += rows.profile.rows[HOLDOUT]
            fit = fit_on(rows.all, used, fit.task, stack)
        signature = _signature(fit.task, fit.stages, columns, slot_means(fit.prepared.features, fit.task.entry))
        sizes = cluster_sizes(fit.fitted)
        tables = {**measured.tables, **validated.tables, **_explain(fit, sizes)}
        if windows := backtest(validated.task, rows.all):
            tables["backtest"] = windows
        tables["metrics"] = [asdict(metric) for metric in measured.metrics]
        tables |= {"feature_statistics": list(rows.profile.statistics)} if rows.profile.statistics else {}
        save_fitted(_pipeline(fit.stages, fit.fitted), signature, tables, folder)
    facts = {
        "rows": dict(rows.profile.rows) | {"null_label": rows.null_labels},
        "split": dict(rows.rule.facts) | {"shared_keys": rows.shared_keys},
        "layout": {"partitions": partition_count(fit.prepared.rows), "keys": list(ml_model.keys)},
        "cluster_sizes": sizes,
        "summary": summarize(fit.fitted),
        **validated.facts,
        **_facts(fit, rows, ml_model),
    }
    return Fitted(signature, measured.metrics, used, facts, comparisons=tuple(comparisons))


def _read_task(ml_model: MlModel, training: DataFrame) -> tuple[Task, Sequence[Column]]:
    """Return what is to be fitted, as far as columns tell, and the columns of the training relation."""
    entry = estimator_of(ml_model)
    columns = columns_of(training.schema)
    raise_all(find_type_errors(ml_model, entry, columns))
    transforms = choose_transforms(columns, ml_model, entry, expression_types(training))
    return Task(ml_model, entry, transforms, _label_type(columns, ml_model, entry)), columns


def _variant(task: Task, ml_model: MlModel, training: DataFrame) -> Task:
    """Return what is fitted of a variant of the ML model of `task`."""
    if ml_model.transforms == task.ml_model.transforms:
        return replace(task, ml_model=ml_model)
    read, _ = _read_task(ml_model, training)
    return replace(task, ml_model=ml_model, transforms=read.transforms)


def _read_rows(training: DataFrame, task: Task, met: Sequence[Met], stack: ExitStack) -> _Rows:
    """Split the rows and look at them once."""
    ml_model = task.ml_model
    wanted = persisted(stack, _usable_rows(training, task, carried_sql(met)))
    check_slices(wanted, ml_model)
    count, null_labels = _count_rows(wanted, task)
    rows = wanted.where(f"{quote(ml_model.label or '')} IS NOT NULL") if null_labels else wanted
    rule = split_rows(rows, ml_model)
    sided = rows.selectExpr("*", f"{rule.side} AS {SIDE}")
    marked = mark_sample(sided, count)
    profile = profile_rows(marked, ml_model, task.entry, task.transforms, rule.holdout is not None)
    shared = None if rule.holdout is None else assert_disjoint(sided, SIDE, ml_model, "split")
    return _Rows(sided, rule, profile, null_labels, shared, tuple(carried_columns(sided)))


def _with_classes(task: Task, profile: Profile) -> Task:
    """Return the task with what the training rows told."""
    task = replace(task, sizes=profile.sizes)
    if not task.label_type or task.entry.problem is not Problem.CLASSIFICATION:
        return task
    classes = order_classes(profile.classes[TRAINING], task.ml_model)
    weights = weigh_classes(task.ml_model, profile.classes[TRAINING], classes)
    return replace(task, classes=classes, class_weights=weights)


def _measure_sides(fit: Fit, rows: _Rows, met: Sequence[Met], stack: ExitStack) -> tuple[Evaluation, list[Comparison]]:
    """Measure a fit on training rows and on those held out, and there against its rivals too."""
    ml_model, held_out, count = fit.task.ml_model, rows.holdout, rows.profile.rows[HOLDOUT]
    if held_out is None:
        return measure(fit, None, stack), []
    unseen = fit.read(deal_out(lay_out(held_out, ml_model.keys, partition_count(count))))
    measured = measure(fit, unseen, stack)
    texts = tuple(class_text(value) for value in fit.task.classes)
    comparisons = compare_with_rivals(met, fit.fitted, unseen, Contestant(ml_model, fit.task.entry, texts))
    if ml_model.has_permutations:
        shuffled = permute(held_out.drop(*rows.carried), count, fit)
        measured = replace(measured, tables={**measured.tables, "permutation_importances": shuffled})
    return measured, comparisons


def _explain(fit: Fit, sizes: list[int] | None) -> dict[str, list[Row]]:
    """Return the tables that say what was learnt."""
    task, stages = fit.task, fit.stages
    named = Named(stages.slots, stages.sources, tuple(class_text(value) for value in task.classes))
    tables = dict(explain(fit.fitted, task.entry, named))
    if sizes:
        of_rows = {"dataset": TRAINING, "slice": ""}
        tables["cluster_sizes"] = [{**of_rows, "cluster": at, "size": size} for at, size in enumerate(sizes)]
    return tables


def _label_type(columns: Sequence[Column], ml_model: MlModel, entry: Estimator) -> str | None:
    if not entry.needs_label or ml_model.label is None:
        return None
    return next(column.type for column in columns if column.name.lower() == ml_model.label.lower())


def _usable_rows(training: DataFrame, task: Task, carried: Sequence[str] = ()) -> DataFrame:
    """Return the rows after `where:` with the columns that the ML model reads, in the relation's order.

    Columns that are not read must not decide a hash, else adding one would change the split and the layout.
    """
    ml_model = task.ml_model
    rows = training.where(ml_model.where) if ml_model.where else training
    roles = {name.lower() for name in (*ml_model.roles, *ml_model.columns_dealt)}
    read = roles | {transform.column.lower() for transform in task.transforms}
    names = [quote(column.name) for column in columns_of(rows.schema) if column.name.lower() in read]
    slices = slices_sql(ml_model)
    return rows.selectExpr(*names, *([f"{slices} AS {SLICES}"] if slices else []), *carried)


def _count_rows(rows: DataFrame, task: Task) -> tuple[int, int]:
    """Return how many rows there are, and how many of them have no label.

    Raises:
        DataError: there are some, and the ML model says `null_label: error`.
    """
    ml_model = task.ml_model
    is_missing = "false" if task.label_type is None else f"{quote(ml_model.label or '')} IS NULL"
    rows_there, count = rows.selectExpr("count(1)", f"count_if({is_missing})").collect()[0]
    if count and ml_model.null_label == "error":
        raise DataError(
            f"label '{ml_model.label}' of ml model '{ml_model.name}' is null in {count} rows",
            ml_model.places.value_of("null_label"),
            "leave them out by 'where:', or say null_label: drop",
        )
    return rows_there, count


def _pipeline(stages: FeatureStages, fitted: Model) -> PipelineModel:
    from pyspark.ml import PipelineModel

    return PipelineModel([*stages.stages, fitted])


def _signature(task: Task, stages: FeatureStages, columns: Sequence[Column], means: tuple[float, ...]) -> Signature:
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
        slot_means=means,
    )


def _facts(fit: Fit, rows: _Rows, spec: MlModel) -> dict[str, Any]:
    """Return what a version remembers beside its signature, fit to be written as JSON."""
    task, stages, params, profile = fit.task, fit.stages, fit.params, rows.profile
    odd = odd_share(rows.rule.facts, profile.rows)
    warnings = [f"feature '{column}' has one value in all training rows" for column in profile.constant]
    given = task.ml_model.params
    facts: dict[str, Any] = {}
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
        "warnings": warnings + ([odd] if odd is not None else []),
        "categories": {column: len(labels) for column, labels in stages.categories.items()},
    }
