"""Checks ML models and predictions against what they read: a node and known columns in, errors and features out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from sqlml.compile.condition_reader import ConditionReader
from sqlml.compile.estimator_params import check_estimator_params, check_threshold
from sqlml.compile.facts import Condition
from sqlml.compile.ml_types import typed_columns
from sqlml.compile.readable import Readable
from sqlml.compile.transforms import check_transforms
from sqlml.compile.tuning import check_tuning
from sqlml.compile.types import SparkType, parse_type
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.dag import MlNode, PredictionNode
from sqlml.ir.estimators import Returns, estimator_of, explainable_estimators
from sqlml.ir.features import feature_names
from sqlml.ir.gates import unknown_gate_metrics
from sqlml.ir.outputs import as_returned_by, class_count_of, explanation_columns, has_all_outputs, output_columns
from sqlml.ir.project import MlModel
from sqlml.ir.signatures import ExpectedSignature, find_misfit
from sqlml.ir.state import Column


def check_ml_node(
    node: MlNode, training: Readable, conditions: ConditionReader, errors: list[SqlmlError]
) -> tuple[tuple[str, ...] | None, Condition | None]:
    """Return the features and the condition of an ML model; errors are appended to `errors`.

    Args:
        training: its training relation; where its columns are unknown, no column of the spec is checked.
        conditions: reads its `where:`.
    """
    ml_model, columns = node.ml_model, training.columns
    errors.extend(check_estimator_params(ml_model))
    errors.extend(check_threshold(ml_model))
    errors.extend(unknown_gate_metrics(ml_model, estimator_of(ml_model)))
    condition = None
    if ml_model.where is not None:
        what, place = f"where: of ml model '{ml_model.name}'", ml_model.places.value_of("where")
        condition = conditions.read(ml_model.where, what, place, training, errors)
    features: tuple[str, ...] | None = None
    if columns is not None:
        try:
            features = feature_names(columns, ml_model)
        except SqlmlError as error:
            errors.append(error)
    errors.extend(_check_feature_count(ml_model, features))
    errors.extend(check_transforms(ml_model, training, features))
    errors.extend(_check_allowed(ml_model, features))
    errors.extend(check_tuning(ml_model, training, features))
    return features, condition


def _check_feature_count(ml_model: MlModel, features: tuple[str, ...] | None) -> Iterator[SqlmlError]:
    most = estimator_of(ml_model).max_features
    if most is not None and features is not None and len(features) > most:
        what = f"'{ml_model.estimator}' of ml model '{ml_model.name}' reads {most} feature, and has {len(features)}"
        yield CompileError(
            what, ml_model.places.value_of("features"), suggest("", features, "name it in 'features:', of")
        )


def _check_allowed(ml_model: MlModel, features: tuple[str, ...] | None) -> Iterator[SqlmlError]:
    known = {name.lower() for name in features or ()}
    for column in ml_model.allow_leakage if features is not None else ():
        if column.lower() not in known:
            what = f"allow_leakage: of ml model '{ml_model.name}' names '{column}', which is not one of its features"
            place = ml_model.places.of(f"allow_leakage.{column}")
            yield CompileError(what, place, suggest(column, features or (), "they are"))


def columns_read(
    ml_model: MlModel, features: tuple[str, ...] | None, where: Condition | None, slices: frozenset[str] | None
) -> frozenset[str] | None:
    """Return the columns (lower case) that fit and evaluation read; None where they are unknown."""
    if features is None or slices is None or (where is not None and where.columns is None):
        return None
    names = {name.lower() for name in (*features, *ml_model.roles, *ml_model.columns_dealt, *slices)}
    return frozenset(names | (where.columns or frozenset() if where else frozenset()))


def expect_signature(
    ml_model: MlModel, training: Readable, features: tuple[str, ...] | None, present: Collection[str] = ()
) -> ExpectedSignature:
    """Return what a fit of `ml_model` on `training` would read and return.

    Args:
        present: columns (lower case) of `training` that are never null, as far as that is known.
    """

    def column(name: str) -> Column:
        return replace(training.column(name), is_nullable=name.lower() not in present)

    typed = None if features is None else tuple([column(name) for name in features])
    label = None if ml_model.label is None else column(ml_model.label)
    inputs = tuple([column(name) for name in ml_model.inputs])
    estimator = estimator_of(ml_model)
    label_type = None if label is None else label.type
    class_count = class_count_of(ml_model, estimator, label_type)
    learnt_type = inputs[0].type if estimator.returns is Returns.ITEMS else label_type
    outputs = output_columns(estimator.returns, ml_model.label, learnt_type, class_count)
    outputs = as_returned_by(estimator, outputs, ml_model.for_each)
    return ExpectedSignature(typed, label, outputs, has_all_outputs(estimator, class_count), inputs)


def predicted_columns(
    node: PredictionNode,
    ml_model: MlModel,
    signature: ExpectedSignature,
    scored: Readable,
    errors: list[SqlmlError],
) -> dict[str, SparkType | None] | None:
    """Return the columns of a prediction with their types: the scored relation's, then what the ML model adds.

    None where they are not all known.
    """
    if scored.columns is None:
        return None
    misfit = find_misfit(typed_columns(scored), (*(signature.features or ()), *signature.inputs))
    if misfit:
        what = f"predict('{ml_model.name}', …) does not fit '{scored.title}', which {misfit}"
        do = "add what is missing to" if misfit.missing else "cast it in the SQL of"
        fix = f"{do} '{scored.title}', or build both relations from one SQL model"
        errors.append(CompileError(what, node.places.whole, fix))
    errors.extend(_check_explained(node, ml_model))
    has = {name.lower() for name in scored.columns}
    outputs = (*signature.outputs, *explanation_columns(node.explain))
    added = {f"{ml_model.output_prefix}{output.name}": parse_type(output.type) for output in outputs}
    for name in added:
        if name.lower() in has:
            what = f"predict('{ml_model.name}', …) adds the column '{name}', which '{scored.title}' has already"
            fix = f"set output_prefix: on ml model '{ml_model.name}', or rename the column of '{scored.title}'"
            errors.append(CompileError(what, node.places.whole, fix))
    return {**scored.types, **added} if signature.has_all_outputs else None


def _check_explained(node: PredictionNode, ml_model: MlModel) -> Iterator[SqlmlError]:
    if node.explain is not None and not estimator_of(ml_model).margin:
        classifier = ml_model.params.get("classifier")
        with_params = f"'{ml_model.estimator}'" + (f" of '{classifier}'" if classifier else "")
        what = (
            f"predict('{ml_model.name}', …) cannot be explained: {with_params} has no exact contributions of features"
        )
        fix = f"leave 'explain' out, or take one of: {', '.join(explainable_estimators())}"
        yield CompileError(what, node.places.whole, fix)
