"""Fits an ML model: a training relation in, a saved fitted model with its signature, metrics and facts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import raise_all
from sqlml.ir.comparisons import Comparison, Rival
from sqlml.ir.engine import Fitted
from sqlml.ir.estimators import Estimator, Problem, Returns, estimator_of
from sqlml.ir.explanations import Row
from sqlml.ir.kept_trials import OpenTrials, no_trials
from sqlml.ir.outputs import as_returned_by, output_columns
from sqlml.ir.project import MlModel
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.splits import refit_time
from sqlml.ir.state import Column, Signature
from sqlml.ir.suspects import FACT as SUSPECTS
from sqlml.ir.suspects import find_suspects
from sqlml.ir.transforms import choose_transforms
from sqlml.ir.type_rules import find_type_errors
from sqlml.run.ml.artifact import Saved, save_fitted, signature_of
from sqlml.run.ml.backtests import backtest
from sqlml.run.ml.centres import cluster_sizes
from sqlml.run.ml.checks import HOLDOUT, TRAINING
from sqlml.run.ml.contributions.linear import slot_means
from sqlml.run.ml.evaluation.comparing import Contestant
from sqlml.run.ml.evaluation.evaluate import Evaluation
from sqlml.run.ml.evaluation.measure import measure, permute, transform_each
from sqlml.run.ml.explain import Named, explain, summarize
from sqlml.run.ml.features import FeatureStages, expression_types
from sqlml.run.ml.fit_parts import fit_parts, on_each
from sqlml.run.ml.fit_rows import Part, Rows, read_rows, with_classes
from sqlml.run.ml.fitting import Fit, Task
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.layout import lay_out, partition_count
from sqlml.run.ml.recommend import Ids
from sqlml.run.ml.rival_rankings import Recommender
from sqlml.run.ml.rivals import Met, compare_with_rivals, deal_out, meet_rivals
from sqlml.run.ml.seen_rows import keep_borders
from sqlml.run.ml.split import instant, odd_share
from sqlml.run.ml.validating import Validated, validate_on_folds
from sqlml.run.tables import columns_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def fit_ml_model(
    spark: SparkSession,
    ml_model: MlModel,
    training: DataFrame,
    folder: Path,
    rivals: Sequence[Rival] = (),
    *,
    open_trials: OpenTrials = no_trials,
) -> Fitted:
    """Fit `ml_model` on the rows of `training`, measure it and save it into `folder`, which is made.

    Writes `pipeline/`, a Spark ML PipelineModel from the relation's columns to Spark's, and `signature.json`; with
    `for_each:` one such folder for each value below `values/`.

    Args:
        rivals: whom it is compared with on held-out rows.
        open_trials: gives what is known of its search, and keeps each trial as it ends.

    Raises:
        CompileError, ErrorList: the spec does not fit the relation's columns or their types.
        DataError, ErrorList: rows that no fit can use; the column is named.
    """
    task, columns = _read_task(ml_model, training)
    with ExitStack() as stack:
        met = meet_rivals(rivals, ml_model, columns)
        rows = read_rows(training, task, met, stack)
        parts = rows.parts(with_classes(task, rows.profile))
        validated = on_each(parts, lambda part: _validate(part, training, open_trials))
        parts = tuple(replace(part, task=one.task) for part, one in zip(parts, validated, strict=True))
        fits = fit_parts(parts, (TRAINING,), stack)
        measured, comparisons = _measure_sides(parts, fits, met, stack)
        sides = (TRAINING, HOLDOUT) if ml_model.refit == "all" else (TRAINING,)
        if ml_model.refit == "all":
            fits = fit_parts(parts, sides, stack)
        learnt = [{**one.tables, **_explain(fit)} for one, fit in zip(validated, fits, strict=True)]
        windows = on_each(parts, lambda part: backtest(part.task, part.rows.all))
        tables = {**measured.tables, **_of_whom(parts, learnt), **_of_whom(parts, [table for table, _ in windows])}
        tables["metrics"] = [asdict(metric) for metric in measured.metrics]
        tables |= _statistics(parts, rows)
        saved = on_each(parts, lambda _, fit: _saved(fit, columns), fits)
        pipelines = {part.value: one for part, one in zip(parts, saved, strict=True)}
        signature = signature_of(pipelines, ml_model)
        save_fitted(pipelines, signature, tables, folder)
        keep_borders(rows.sided, rows.rule, folder)
    suspects = find_suspects(rows.profile.alone, tables.get("importances", ()), measured.metrics)
    facts = {
        "rows": dict(rows.profile.rows) | {"null_label": rows.null_labels},
        "split": dict(rows.rule.facts) | {"shared_keys": rows.shared_keys},
        **_facts(parts, [one.facts for one in validated], fits, rows),
        SUSPECTS: [asdict(suspect) for suspect in suspects],
    }
    for part, one, (_, said) in zip(parts, validated, windows, strict=True):
        facts["warnings"] += [f"{part.slice}: {text}" if part.slice else text for text in (*one.warnings, *said)]
    used = sum(part.count(*sides) for part in parts)
    return Fitted(signature, measured.metrics, used, facts, comparisons=tuple(comparisons))


def _read_task(ml_model: MlModel, training: DataFrame) -> tuple[Task, Sequence[Column]]:
    """Return what is to be fitted, as far as columns tell, and the columns of the training relation."""
    entry = estimator_of(ml_model)
    columns = columns_of(training.schema)
    raise_all(find_type_errors(ml_model, entry, columns))
    transforms = choose_transforms(columns, ml_model, entry, expression_types(training))
    return Task(ml_model, entry, transforms, _label_type(columns, ml_model, entry)), columns


def _validate(part: Part, training: DataFrame, open_trials: OpenTrials) -> Validated:
    def task_of(variant: MlModel) -> Task:
        return _variant(part.task, variant, training)

    return validate_on_folds(part.task, part.rows.training, task_of, open_trials)


def _variant(task: Task, ml_model: MlModel, training: DataFrame) -> Task:
    """Return what is fitted of a variant of the ML model of `task`."""
    if ml_model.transforms == task.ml_model.transforms:
        return replace(task, ml_model=ml_model)
    read, _ = _read_task(ml_model, training)
    return replace(task, ml_model=ml_model, transforms=read.transforms)


def _measure_sides(
    parts: Sequence[Part], fits: Sequence[Fit], met: Sequence[Met], stack: ExitStack
) -> tuple[Evaluation, list[Comparison]]:
    """Measure fits together on training rows and on those held out, and there against their rivals too."""
    ml_model, task = fits[0].task.ml_model, fits[0].task
    if any(part.rows.holdout is None for part in parts):
        return measure(fits, None, stack), []
    unseen = on_each(parts, _read_holdout, fits)
    measured = measure(fits, unseen, stack)
    texts = tuple(class_text(value) for value in task.classes)
    candidate = Contestant(ml_model, task.entry, texts)
    recommender = _recommender(parts[0], fits[0])
    comparisons = compare_with_rivals(met, lambda: transform_each(fits, unseen), candidate, recommender)
    if ml_model.has_permutations:
        shuffled = _of_whom(parts, on_each(parts, _permute, fits))
        measured = replace(measured, tables={**measured.tables, **shuffled})
    return measured, comparisons


def _recommender(part: Part, fit: Fit) -> Recommender | None:
    held_out = part.rows.holdout
    if fit.task.entry.problem is not Problem.RECOMMENDATION or held_out is None:
        return None
    return Recommender(Ids(fit.stages.stages[-1], fit.fitted), fit.task.ml_model, part.rows.training, held_out)


def _read_holdout(part: Part, fit: Fit) -> DataFrame:
    """Return a part's held-out rows as its estimator reads them, laid out."""
    held_out = part.rows.holdout
    assert held_out is not None
    laid_out = lay_out(held_out, fit.task.ml_model.keys, partition_count(part.count(HOLDOUT)))
    return fit.read(deal_out(laid_out))


def _permute(part: Part, fit: Fit) -> dict[str, list[Row]]:
    held_out = part.rows.holdout
    # Of a value without held-out rows nothing can be shuffled.
    if held_out is None or not part.count(HOLDOUT):
        return {}
    return {"permutation_importances": permute(held_out.drop(*part.rows.carried), part.count(HOLDOUT), fit)}


def _explain(fit: Fit) -> dict[str, list[Row]]:
    """Return the tables that say what was learnt."""
    task, stages = fit.task, fit.stages
    named = Named(stages.slots, stages.sources, tuple(class_text(value) for value in task.classes))
    tables: dict[str, list[Row]] = {name: list(rows) for name, rows in explain(fit.fitted, task.entry, named).items()}
    if sizes := cluster_sizes(fit.fitted):
        of_rows = {"dataset": TRAINING, "slice": ""}
        tables["cluster_sizes"] = [{**of_rows, "cluster": at, "size": size} for at, size in enumerate(sizes)]
    return tables


def _of_whom(parts: Sequence[Part], tables: Sequence[Mapping[str, Sequence[Row]]]) -> dict[str, list[Row]]:
    """Return the tables of parts together; with several parts each row says of which one it is."""
    found: dict[str, list[Row]] = {}
    for part, of_part in zip(parts, tables, strict=True):
        own = {"slice": part.slice} if part.slice else {}
        for name, rows in of_part.items():
            found.setdefault(name, []).extend({**row, **own} for row in rows)
    return found


def _statistics(parts: Sequence[Part], rows: Rows) -> dict[str, list[Row]]:
    """Return the table of what features were like; of all rows too where there are several parts."""
    found = _of_whom(parts, [{"feature_statistics": part.rows.profile.statistics} for part in parts])
    whole = () if rows.values is None else rows.profile.statistics
    tables = {name: [*whole, *own] for name, own in found.items() if own}
    return tables | ({"single_features": list(rows.profile.alone)} if rows.profile.alone else {})


def _label_type(columns: Sequence[Column], ml_model: MlModel, entry: Estimator) -> str | None:
    if not entry.needs_label or ml_model.label is None:
        return None
    return next(column.type for column in columns if column.name.lower() == ml_model.label.lower())


def _saved(fit: Fit, columns: Sequence[Column]) -> Saved:
    """Return what is saved of a fit."""
    from pyspark.ml import PipelineModel

    signature = _signature(fit.task, fit.stages, columns, slot_means(fit.prepared.features, fit.task.entry))
    return Saved(PipelineModel([*fit.stages.stages, fit.fitted]), signature)


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
        outputs=as_returned_by(
            task.entry,
            output_columns(task.entry.returns, label, learnt_type, len(task.classes)),
            task.ml_model.for_each,
        ),
        inputs=inputs,
        label=label,
        label_type=task.label_type,
        classes=task.classes,
        threshold=task.ml_model.threshold,
        settings=dict(PINNED_SETTINGS),
        roles=dict(task.ml_model.role_columns),
        slot_means=means,
    )


def _facts(
    parts: Sequence[Part], of_folds: Sequence[Mapping[str, Any]], fits: Sequence[Fit], rows: Rows
) -> dict[str, Any]:
    """Return what a version remembers beside its signature, fit to be written as JSON."""
    task, profile, values = fits[0].task, rows.profile, rows.values
    odd = odd_share(rows.rule.facts, profile.rows)
    warnings = [f"feature '{column}' has one value in all training rows" for column in profile.constant]
    warnings += [odd] if odd is not None else []
    of_fits = [{**said, **_fit_facts(fit)} for said, fit in zip(of_folds, fits, strict=True)]
    facts: dict[str, Any] = dict(of_fits[0])
    if values is not None:
        # What is the same of all is said once.
        facts = {key: value for key, value in facts.items() if all(own.get(key) == value for own in of_fits)}
        warnings += values.warnings
        own = {
            str(part.value): {"rows": dict(part.rows.profile.rows)}
            | {key: value for key, value in of_fit.items() if key not in facts}
            for part, of_fit in zip(parts, of_fits, strict=True)
        }
        facts["for_each"] = {**values.facts, "values": own}
    if task.ml_model.refit == "all":
        facts["refit"] = {"rows": profile.rows[TRAINING] + profile.rows[HOLDOUT]}
        if profile.latest is not None:
            facts["refit"] |= {"time": refit_time(task.ml_model), "latest": instant(profile.latest)}
    return facts | {
        "classes": {
            side: {class_text(value): counts.get(value, 0) for value in task.classes}
            for side, counts in profile.classes.items()
            if task.classes and counts
        },
        "transforms": [transform.describe() for transform in task.transforms],
        "warnings": warnings,
    }


def _fit_facts(fit: Fit) -> dict[str, Any]:
    """Return what is remembered of one fit."""
    task, given = fit.task, fit.task.ml_model.params
    facts: dict[str, Any] = {
        "layout": {"partitions": partition_count(fit.prepared.rows), "keys": list(task.ml_model.keys)},
        "cluster_sizes": cluster_sizes(fit.fitted),
        "summary": summarize(fit.fitted),
        "params": dict(fit.params),
        "params_added": {name: value for name, value in fit.params.items() if given.get(name) != value},
        "categories": {column: len(labels) for column, labels in fit.stages.categories.items()},
    }
    if task.class_weights:
        names = [class_text(value) for value in task.classes]
        facts["class_weights"] = dict(zip(names, task.class_weights, strict=True))
    return facts
