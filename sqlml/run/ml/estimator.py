"""Makes the Spark ML estimator of an ML model: a spec and what the data decides in, an estimator ready to fit out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.estimators import Estimator, Family
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.project import MlModel
from sqlml.ir.roles import ROLES

if TYPE_CHECKING:
    from pyspark.ml import Estimator as SparkEstimator

LABEL = f"{INTERNAL_PREFIX}label"  # what `role_column` gives for it
_DEFAULT_MAX_BINS = 32


def role_column(key: str) -> str:
    """Return the name under which an estimator finds the column of a role."""
    return f"{INTERNAL_PREFIX}{key}"


def make_estimator(
    ml_model: MlModel, entry: Estimator, rows: int, arity: int
) -> tuple[SparkEstimator[Any], dict[str, Any]]:
    """Return the estimator and the params set on it: the user's, and those that sqlml adds.

    Added are a fixed seed where the estimator draws lots, a `maxBins` that holds the largest category, and the
    threshold, so that Spark's own `prediction` follows it.

    Args:
        ml_model: the spec.
        entry: its estimator.
        rows: rows to fit on.
        arity: the most values of an indexed category; 0 without one.

    Raises:
        DataError: a category with nearly as many values as there are rows; a param that Spark refuses.
    """
    estimator = getattr(import_module(entry.module), entry.name)()
    params: dict[str, Any] = dict(ml_model.params)
    params = {**entry.sets, **params}
    if entry.family is Family.TREE and arity:
        _check_arity(ml_model, rows, arity)
        if int(params.get("maxBins", _DEFAULT_MAX_BINS)) < arity:
            params["maxBins"] = arity
    if ml_model.threshold is not None and entry.threshold_param is not None:
        params |= _threshold(ml_model.threshold, entry.threshold_param, params)
    columns = {"featuresCol": "features"} | {ROLES[key].param: role_column(key) for key in ml_model.role_columns}
    try:
        for name, value in {**params, **columns}.items():
            # Not the constructor, which lacks `thresholds` for trees.
            estimator.set(estimator.getParam(name), value)
    except (TypeError, ValueError) as error:
        what = f"'{entry.name}' of ml model '{ml_model.name}' refuses its params: {error}"
        raise DataError(what, ml_model.places.value_of("params")) from error
    return estimator, params


def _threshold(threshold: float, param: str, params: dict[str, Any]) -> dict[str, Any]:
    # A multinomial regression of two classes reads `thresholds` alone.
    if param == "threshold" and params.get("family") != "multinomial":
        return {"threshold": threshold}
    return {"thresholds": [1 - threshold, threshold]}


def _check_arity(ml_model: MlModel, rows: int, arity: int) -> None:
    # Spark allows no more bins than rows, and a bin for each value of a category.
    if arity > rows:
        raise DataError(
            f"a category of ml model '{ml_model.name}' has {arity} slots, but only {rows} rows to fit on",
            ml_model.places.value_of("features"),
            "lower its max_categories, leave it out, or bring more rows",
        )
