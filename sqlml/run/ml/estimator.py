"""Makes the Spark ML estimator of an ML model: a spec and what the data decides in, an estimator ready to fit out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.estimators import DEFAULT_SEED, Estimator, Family, Returns
from sqlml.ir.features import INTERNAL_PREFIX, place_of_feature
from sqlml.ir.project import MlModel
from sqlml.ir.roles import ROLES
from sqlml.run.ml.coefficient_bounds import bounds_of
from sqlml.run.ml.foreign import import_estimator, usable_columns
from sqlml.run.ml.layout import partition_count
from sqlml.run.ml.outputs import QUANTILES

if TYPE_CHECKING:
    from pyspark.ml import Estimator as SparkEstimator

LABEL = f"{INTERNAL_PREFIX}label"  # what `role_column` gives for it
MOST_BINS = 10_000
_DEFAULT_MAX_BINS = 32


@dataclass(frozen=True, slots=True)
class DataShape:
    """What the training rows decide of an estimator.

    Attributes:
        rows: rows to fit on.
        slots: names of the feature vector's slots.
        sources: for each slot the features that it comes from.
        arities: feature to the most values that a slot of it takes, where those are nominal.
        classes: of the label; 0 unless a classifier.
    """

    rows: int
    slots: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    arities: Mapping[str, int]
    classes: int


def role_column(key: str) -> str:
    """Return the name under which an estimator finds the column of a role."""
    return f"{INTERNAL_PREFIX}{key}"


def make_estimator(
    ml_model: MlModel, entry: Estimator, shape: DataShape, weight: str | None = None
) -> tuple[SparkEstimator[Any], dict[str, Any]]:
    """Return the estimator and the params set on it: the user's, and those that sqlml adds.

    Added are a fixed seed where the estimator draws lots, a `maxBins` that holds the largest category, a network's
    `layers`, and the threshold, so that Spark's own `prediction` follows it.

    Args:
        weight: the column of the rows' weights; None: that of the role, if there is one.

    Raises:
        DataError: a category with nearly as many values as there are rows; a param that Spark refuses.
    """
    params = _complete(dict(ml_model.params), ml_model, entry, shape)
    columns = {ROLES[key].param: role_column(key) for key in ml_model.role_columns if key in entry.roles}
    if entry.reads_features:
        columns["featuresCol"] = "features"
    if weight is not None:
        columns[ROLES["weight"].param] = weight
    if entry.returns is Returns.QUANTILES:
        columns["quantilesCol"] = QUANTILES
    if entry.is_foreign:
        return _make_foreign(ml_model, entry, columns)
    estimator = _new(entry)
    stage, classes = (entry, shape.classes) if entry.over is None else (entry.over, 2)
    bounds = bounds_of(params, stage.name, ml_model, slots=shape.slots, sources=shape.sources, classes=classes)
    if entry.over is not None:
        own = {name: params[name] for name in params if name != "classifier" and estimator.hasParam(name)}
        inner = _new(entry.over)
        rest = {name: value for name, value in params.items() if name not in {*own, "classifier"}}
        _set(inner, rest | bounds, ml_model)
        _set(estimator, {**own, "classifier": inner, **columns}, ml_model)
    else:
        _set(estimator, {**params, **bounds, **columns}, ml_model)
    return estimator, params


def saved_form(fitted: Any) -> Any:
    """Return the fitted model that is measured and saved.

    Topics by `optimizer: em` keep their training rows and begin each prediction at another random place; in their local
    form they do neither, and are the same topics.
    """
    return fitted.toLocal() if hasattr(fitted, "toLocal") else fitted


def _make_foreign(
    ml_model: MlModel, entry: Estimator, columns: dict[str, str]
) -> tuple[SparkEstimator[Any], dict[str, Any]]:
    estimator = import_estimator(entry, ml_model)
    params = dict(ml_model.params)
    if estimator.hasParam("seed"):
        params.setdefault("seed", DEFAULT_SEED)
    _set(estimator, {**params, **usable_columns(estimator, columns, ml_model)}, ml_model)
    return estimator, params


def _new(entry: Estimator) -> Any:
    return getattr(import_module(entry.module), entry.name)()


def _set(estimator: Any, values: Mapping[str, Any], ml_model: MlModel) -> None:
    try:
        for name, value in values.items():
            # Not the constructor, which lacks `thresholds` for trees.
            estimator.set(estimator.getParam(name), value)
    except (TypeError, ValueError) as error:
        what = f"'{type(estimator).__name__}' of ml model '{ml_model.name}' refuses its params: {error}"
        raise DataError(what, ml_model.places.value_of("params")) from error


def _complete(params: dict[str, Any], ml_model: MlModel, entry: Estimator, shape: DataShape) -> dict[str, Any]:
    if entry.over is not None:
        # Each classifier tells one class from all others.
        return _complete(params, ml_model, entry.over, replace(shape, classes=2))
    params = {**entry.sets, **params}
    if entry.family is Family.TREE and shape.arities:
        largest = _largest_category(ml_model, shape)
        if int(params.get("maxBins", _DEFAULT_MAX_BINS)) < largest:
            params["maxBins"] = largest
    if "coldStartStrategy" in entry.completes:
        params["coldStartStrategy"] = "drop" if ml_model.unseen == "drop" else "nan"
    if "numPartitions" in entry.completes:
        # Spark's default, and with it the order of what is as frequent, depends on the cores.
        params.setdefault("numPartitions", partition_count(shape.rows))
    if "hiddenLayers" in entry.own_params:
        params["layers"] = [len(shape.slots), *params.pop("hiddenLayers", ()), shape.classes]
        _check_weights(params, ml_model)
    if ml_model.threshold is not None and entry.threshold_param is not None:
        params |= _threshold(ml_model.threshold, entry.threshold_param, params)
    thresholds = params.get("thresholds")
    if thresholds is not None and shape.classes and len(thresholds) != shape.classes:
        what = f"'thresholds' of ml model '{ml_model.name}' has {len(thresholds)} numbers for {shape.classes} classes"
        raise DataError(what, ml_model.places.value_of("params.thresholds"), "give one for each class, in sorted order")
    return params


def _check_weights(params: Mapping[str, Any], ml_model: MlModel) -> None:
    given, layers = params.get("initialWeights"), params["layers"]
    needed = sum((inputs + 1) * outputs for inputs, outputs in pairwise(layers))
    if given is not None and len(given) != needed:
        what = f"'initialWeights' of ml model '{ml_model.name}' has {len(given)} numbers, and the layers "
        fix = "give each node a weight for each node of the layer before it, and one more"
        raise DataError(f"{what}{layers} have {needed}", ml_model.places.value_of("params.initialWeights"), fix)


def _threshold(threshold: float, param: str, params: dict[str, Any]) -> dict[str, Any]:
    # A multinomial regression of two classes reads `thresholds` alone.
    if param == "threshold" and params.get("family") != "multinomial":
        return {"threshold": threshold}
    return {"thresholds": [1 - threshold, threshold]}


def _largest_category(ml_model: MlModel, shape: DataShape) -> int:
    """Return how many bins the categories need: Spark allows no more than rows, and wants one for each value."""
    for name, arity in shape.arities.items():
        place, what = place_of_feature(name, ml_model), f"category '{name}' of ml model '{ml_model.name}' has"
        if arity > shape.rows:
            fix = "lower its max_categories, leave it out, or bring more rows"
            raise DataError(f"{what} {arity} values, and there are {shape.rows} rows to fit on", place, fix)
        if arity > MOST_BINS:
            raise DataError(f"{what} {arity} values, and a tree takes {MOST_BINS}", place, "lower its max_categories")
    return max(shape.arities.values())
