"""Estimators that are none of Spark's own: an import path in, the class and what a fitted one returns out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sqlml.errors import DataError, suggest
from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.project import MlModel
from sqlml.ir.roles import ROLES


def import_estimator(entry: Estimator, ml_model: MlModel) -> Any:
    """Return a new estimator of the class, with its own defaults.

    Raises:
        DataError: it cannot be imported, or is no estimator of Spark ML's kind.
    """
    from pyspark.ml import Estimator as SparkEstimator

    place = ml_model.places.value_of("estimator")
    try:
        made = getattr(import_module(entry.module), entry.name.rpartition(".")[2])
    except (ImportError, AttributeError) as error:
        what = f"estimator '{entry.name}' of ml model '{ml_model.name}' cannot be imported: {error}"
        raise DataError(what, place, "install it beside sqlml, or put its folder on PYTHONPATH") from error
    if not (isinstance(made, type) and issubclass(made, SparkEstimator)):
        what = f"'{entry.name}' of ml model '{ml_model.name}' is no pyspark.ml.Estimator"
        raise DataError(what, place, "name a class with fit(), as Spark ML's own have it")
    return made()


def usable_columns(estimator: Any, columns: dict[str, str], ml_model: MlModel) -> dict[str, str]:
    """Return those params that name columns which the estimator has.

    Raises:
        DataError: it lacks the param of a role that the ML model gives, or one of the params that it sets.
    """
    for key in ml_model.role_columns:
        if not estimator.hasParam(ROLES[key].param):
            what = f"'{ml_model.estimator}' of ml model '{ml_model.name}' takes no {ROLES[key].name}"
            raise DataError(
                what, ml_model.places.value_of(key), f"it has no param '{ROLES[key].param}': remove '{key}:'"
            )
    known = [param.name for param in estimator.params]
    for name in ml_model.params:
        if name not in known:
            what = f"'{ml_model.estimator}' of ml model '{ml_model.name}' has no param '{name}'"
            raise DataError(what, ml_model.places.value_of(f"params.{name}"), suggest(name, known, "there are"))
    return {name: column for name, column in columns.items() if name in known}


def check_fitted(fitted: Any, ml_model: MlModel) -> None:
    """Check that a fitted model can be saved.

    Raises:
        DataError: it cannot.
    """
    from pyspark.ml.util import MLWritable

    if not isinstance(fitted, MLWritable):
        what = f"what '{ml_model.estimator}' of ml model '{ml_model.name}' fits cannot be saved"
        raise DataError(what, ml_model.places.value_of("estimator"), "its model must be a pyspark.ml.util.MLWritable")


def returned_by(fitted: Any, columns: Sequence[str], entry: Estimator) -> Returns:
    """Return what a fitted model gives, by the columns that it adds."""
    if entry.problem is Problem.CLASSIFICATION:
        if "rawPrediction" not in columns:
            return Returns.CLASS
        return Returns.PROBABILITIES if "probability" in columns else Returns.SCORES
    if entry.problem is Problem.CLUSTERING:
        if hasattr(fitted, "clusterCenters") and hasattr(fitted, "getDistanceMeasure"):
            return Returns.DISTANCE
        return Returns.MIXTURE if "probability" in columns else Returns.CLUSTER
    return entry.returns


def explained_by(fitted: Any, slots: int) -> tuple[str, ...]:
    """Return the tables that a fitted model can fill, by what it offers."""
    found = []
    for attribute, table in (("featureImportances", "importances"), ("coefficients", "coefficients")):
        values = getattr(fitted, attribute, None)
        if values is not None and hasattr(values, "toArray") and len(values.toArray()) == slots:
            found.append(table)
    return tuple(found)
