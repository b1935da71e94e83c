"""Looks at features before a fit: resolved transforms in, what to measure of the rows and what is wrong with it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, SqlmlError
from sqlml.ir.chains import FeatureTransform
from sqlml.ir.features import place_of_feature
from sqlml.ir.project import MlModel
from sqlml.ir.words import NUMERIC, SINGLE, Kind
from sqlml.run.ml.features.making import is_list
from sqlml.run.ml.features.source_sql import source_of
from sqlml.run.ml.sql_text import is_float

if TYPE_CHECKING:
    from pyspark.sql import Column


def feature_measures(index: int, transform: FeatureTransform) -> list[Column]:
    """Return the aggregates of a feature that its statistics and what is wrong with it are read from, by their aliases.

    None of them makes Spark sort rows, or go through them without code compiled for the purpose.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    source = source_of(transform)
    present = f"{source} IS NOT NULL" + (f" AND NOT isnan({source})" if is_float(transform.value_type) else "")
    measures = [sf.expr(f"count_if({present})").alias(f"present_{index}")]
    if transform.kind in NUMERIC:
        finite = finite_sql(transform)
        sqls = {"finite": "count", "mean": "avg", "variance": "var_pop", "low": "min", "high": "max"}
        return [*measures, *[sf.expr(f"{call}({finite})").alias(f"{name}_{index}") for name, call in sqls.items()]]
    if is_list(transform):
        column = sf.expr(source) if transform.kind is Kind.ARRAY else vector_to_array(sf.expr(source))
        # A null or NaN inside has no median to stand for it.
        wrong = sf.exists(column, lambda x: x.isNull() | ~(sf.abs(x.cast("double")) < float("inf")))
        return [
            *measures,
            sf.count_if(wrong).alias(f"infinite_{index}"),
            sf.min(sf.size(column)).alias(f"shortest_{index}"),
            sf.max(sf.size(column)).alias(f"size_{index}"),
        ]
    if transform.kind in SINGLE:
        # By hash, because Spark sorts the rows for the least of texts.
        hashed = sf.when(sf.expr(present), sf.xxhash64(sf.expr(source)))
        measures += [sf.min(hashed).alias(f"low_{index}"), sf.max(hashed).alias(f"high_{index}")]
    return measures


def finite_sql(transform: FeatureTransform) -> str:
    """Return the SQL of a number as a double, null where it is not finite."""
    value = f"CAST({source_of(transform)} AS DOUBLE)"
    return f"IF(abs({value}) < double('Infinity'), {value}, NULL)" if is_float(transform.value_type) else value


def not_finite(expression: str) -> str:
    """Return the condition that a number is NaN or infinite."""
    return f"(isnan({expression}) OR abs({expression}) = double('Infinity'))"


def wrong_features(
    training: Sequence[Any], transforms: Sequence[FeatureTransform], ml_model: MlModel
) -> list[SqlmlError]:
    """Return an error for each feature that no fit can use.

    Args:
        training: the rows of measures, one per group of training rows.
    """
    return [
        error
        for index, transform in enumerate(transforms)
        for error in _wrong_feature(training, index, transform, ml_model)
    ]


def feature_sizes(training: Sequence[Any], transforms: Sequence[FeatureTransform]) -> dict[str, int]:
    """Return the length of each array and vector feature."""
    return {
        transform.column: training[0][f"size_{index}"]
        for index, transform in enumerate(transforms)
        if is_list(transform)
    }


def constant_features(training: Sequence[Any], transforms: Sequence[FeatureTransform]) -> list[str]:
    """Return the features that have one value in all training rows, null not counted where it gets no slot."""
    constant = []
    for index, transform in enumerate(transforms):
        if transform.kind not in SINGLE:
            continue
        ends = {group[f"{end}_{index}"] for group in training for end in ("low", "high")} - {None}
        has_null = any(group[f"present_{index}"] < group["n"] for group in training)
        is_told = transform.said("impute") is None or transform.said("indicator") is not None
        if len(ends) == 1 and not (has_null and is_told) and not _infinite(training, index, transform):
            constant.append(transform.column)
    return constant


def _infinite(training: Sequence[Mapping[str, Any]], index: int, transform: FeatureTransform) -> int:
    """Return how many rows have an infinite number, or a list with something that is no finite one."""
    if transform.kind in NUMERIC:
        return sum(group[f"present_{index}"] - group[f"finite_{index}"] for group in training)
    return sum(group[f"infinite_{index}"] for group in training) if is_list(transform) else 0


def _wrong_feature(
    training: Sequence[Mapping[str, Any]], index: int, transform: FeatureTransform, ml_model: MlModel
) -> list[SqlmlError]:
    place = place_of_feature(transform.column, ml_model)
    what = f"feature '{transform.column}' of ml model '{ml_model.name}'"
    if not sum(group[f"present_{index}"] for group in training):
        fix = f"leave it out with features: {{exclude: [{transform.column}]}}"
        return [DataError(f"{what} is null in every training row", place, fix)]
    if (count := _infinite(training, index, transform)) and not transform.takes_infinity:
        wrong = "holds a null, a NaN or an infinite number" if is_list(transform) else "is infinite"
        fix = "make it finite in the SQL" if is_list(transform) else "make it finite in the SQL, or clip it"
        return [DataError(f"{what} {wrong} in {count} training row{'' if count == 1 else 's'}", place, fix)]
    if is_list(transform):
        # A null array has a size of null, so only the lengths that exist are compared.
        lengths = {group[f"{end}_{index}"] for group in training for end in ("shortest", "size")} - {None, -1}
        if lengths == {0}:
            fix = f"leave it out with features: {{exclude: [{transform.column}]}}"
            return [DataError(f"{what} is empty in every training row", place, fix)]
        if len(lengths) > 1:
            return [
                DataError(f"{what} has lengths from {min(lengths)} to {max(lengths)}", place, "it needs one length")
            ]
        if any(group[f"present_{index}"] < group["n"] for group in training):
            return [DataError(f"{what} is null in some training rows", place, "give it a value in the SQL")]
    return []
