"""Gives the centres of clusters in the features' own units: a fitted model in, one row per cluster out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.ml_outputs import CLUSTER, SIZE
from sqlml.ir.state import Column, Signature, Version
from sqlml.run.tables import literal_rows

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame, SparkSession

Undo = Callable[[int, float], float | None]
"""Gives the value that a scaler made another of: (slot, scaled value) -> value; None where it cannot be told."""

# Their slots are made of several others.
_MIXING = ("Normalizer", "PCAModel", "PolynomialExpansion", "Interaction", "DCT", "ElementwiseProduct", "VectorSlicer")


def centre_rows(spark: SparkSession, fitted: PipelineModel, version: Version) -> DataFrame:
    """Return one row per cluster: `cluster`, `size` (training rows), and a column for each feature.

    A feature with a slot of its own is a double, an array or vector an array<double>, a category map<string,double>:
    the share of each of its values.

    Raises:
        DataError: features are mixed, so that a centre has no units.
    """
    stages: list[Any] = fitted.stages
    sizes = version.facts["cluster_sizes"]
    layout = _columns(version.signature)
    columns = [CLUSTER, SIZE, *[Column(name, _type(slots)) for name, slots in layout.items()]]
    rows = []
    for cluster, centre in enumerate(_centres(stages[-1])):
        values = undo_scaling(stages[:-1], [float(value) for value in centre], version.signature)
        row = [cluster, sizes[cluster], *[_value(slots, values) for slots in layout.values()]]
        rows.append(dict(zip([column.name for column in columns], row, strict=True)))
    return literal_rows(spark, rows, columns)


def cluster_sizes(fitted: Any) -> list[int]:
    """Return how many of the rows that it was fitted on each cluster of a model just fitted has; none of others."""
    summary = fitted.summary if getattr(fitted, "hasSummary", False) else None
    return [int(size) for size in getattr(summary, "clusterSizes", ())]


def _centres(fitted: Any) -> list[Any]:
    """Return the centre of each cluster; of a mixture the means."""
    if hasattr(fitted, "clusterCenters"):
        return list(fitted.clusterCenters())
    return [gaussian.mean.toArray() for gaussian in fitted.gaussians]


def _columns(signature: Signature) -> dict[str, dict[str, int]]:
    """Return for each feature its slots: what each is called inside of the feature, to its place in the vector."""
    names = [feature.name for feature in signature.features]
    columns: dict[str, dict[str, int]] = {name: {} for name in names}
    for at, slot in enumerate(signature.slots):
        # `a=b` may be a feature's own name, so the longest one wins.
        fitting = [name for name in names if slot == name or slot.startswith((f"{name}=", f"{name}["))]
        if fitting:
            feature = max(fitting, key=len)
            columns[feature][slot.removeprefix(feature)] = at
    return {name: slots for name, slots in columns.items() if slots}


def _type(slots: dict[str, int]) -> str:
    if "" in slots:
        return "double"
    return "array<double>" if all(name.startswith("[") for name in slots) else "map<string,double>"


def _value(slots: dict[str, int], values: Sequence[float | None]) -> Any:
    if "" in slots:
        return values[slots[""]]
    if all(name.startswith("[") for name in slots):
        return [values[at] for at in slots.values()]
    return {name.removeprefix("="): values[at] for name, at in slots.items()}


def undo_scaling(stages: Sequence[Any], vector: Sequence[float], signature: Signature) -> list[float | None]:
    """Return the values that the stages made the feature vector `vector` of, slot by slot, as they were before scaling.

    Raises:
        DataError: slots are made of several others.
    """
    assembler = stages[-1]
    makers = {stage.getOutputCol(): stage for stage in stages if stage.hasParam("outputCol")}
    values: list[float | None] = list(vector)
    at = 0
    # What is scaled comes first, a vector for each way of scaling.
    for column in assembler.getInputCols():
        stage = makers.get(column)
        name = type(stage).__name__
        if name in _MIXING:
            what = f"the centres of '{signature.ml_model}' have no units of their own: its features are mixed ({name})"
            raise DataError(what, fix="leave out normalize:, expand:, reduce: and the like, or this output")
        if name not in _UNDOING:
            continue
        undo, size = _UNDOING[name](stage)
        for slot in range(size):
            values[at + slot] = undo(slot, vector[at + slot])
        at += size
    return values


def _undo_standard(stage: Any) -> tuple[Undo, int]:
    mean, std = stage.mean.toArray(), stage.std.toArray()
    has_mean, has_std = stage.getWithMean(), stage.getWithStd()

    def undo(slot: int, value: float) -> float:
        if has_std and std[slot] == 0.0:
            # One value in every training row, which Spark makes 0.
            return float(mean[slot])
        return float(value * (std[slot] if has_std else 1.0) + (mean[slot] if has_mean else 0.0))

    return undo, len(mean)


def _undo_min_max(stage: Any) -> tuple[Undo, int]:
    low, high = stage.originalMin.toArray(), stage.originalMax.toArray()
    least, span = stage.getMin(), stage.getMax() - stage.getMin()
    return lambda slot, value: float(low[slot] + (value - least) / span * (high[slot] - low[slot])), len(low)


def _undo_max_abs(stage: Any) -> tuple[Undo, int]:
    greatest = stage.maxAbs.toArray()
    return lambda slot, value: float(value * greatest[slot]), len(greatest)


def _undo_robust(stage: Any) -> tuple[Undo, int]:
    spread, median = stage.range.toArray(), stage.median.toArray()
    has_centre, has_scale = stage.getWithCentering(), stage.getWithScaling()

    def undo(slot: int, value: float) -> float | None:
        if has_scale and spread[slot] == 0.0:
            # Half of the values are the same, and Spark makes 0 of all.
            return None
        return float(value * (spread[slot] if has_scale else 1.0) + (median[slot] if has_centre else 0.0))

    return undo, len(spread)


_UNDOING: dict[str, Callable[[Any], tuple[Undo, int]]] = {
    "StandardScalerModel": _undo_standard,
    "MinMaxScalerModel": _undo_min_max,
    "MaxAbsScalerModel": _undo_max_abs,
    "RobustScalerModel": _undo_robust,
}
