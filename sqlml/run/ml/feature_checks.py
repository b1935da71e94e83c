"""Looks at the feature vectors before a fit: what an estimator cannot read, named by slot, in errors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.estimators import Estimator
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.ir.roles import Domain
from sqlml.run.ml.checks import rows_text
from sqlml.run.ml.features import FEATURES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_EXACT = 4096
"""The most slots of a vector that Spark solves for by one matrix of all of them with all."""

_SHOWN = 10
_WRONG = {Domain.NON_NEGATIVE: "x < 0", Domain.ZERO_ONE: "x NOT IN (0, 1)"}
_FIX = {
    Domain.NON_NEGATIVE: "leave them out, scale them with min_max, or make counts of them in the SQL",
    Domain.ZERO_ONE: "leave them out, or make 0 and 1 of them in the SQL",
}


def check_slots(features: DataFrame, ml_model: MlModel, entry: Estimator, slots: Sequence[str]) -> None:
    """Check that the vectors hold what `entry` can read; a scan only where it cannot read every vector.

    Args:
        features: the training rows with the vector `features`.
        slots: names of the vector's slots.

    Raises:
        DataError: it cannot; slots and rows are named.
    """
    place = ml_model.places.value_of("features" if ml_model.include else "training_data")
    if entry.max_features == 1 and len(slots) > 1 and "featureIndex" not in ml_model.params:
        raise DataError(
            f"'{entry.name}' of ml model '{ml_model.name}' reads one number, and its feature makes {len(slots)}: "
            f"{_names(slots)}",
            place,
            "take a column that is a number, or choose one by its place from 0: params: {featureIndex: 0}",
        )
    _check_count(ml_model, entry, slots, place)
    if ml_model.params.get("distanceMeasure") == "cosine":
        _check_angles(features, ml_model, entry, place)
    domain = entry.feature_domain(ml_model.params)
    if domain in _WRONG and (found := find_slots(features, _WRONG[domain])):
        raise DataError(
            f"'{entry.name}' of ml model '{ml_model.name}' reads only numbers that are {domain.value}, "
            f"which not all are in {slots_text(found, slots)}",
            place,
            _FIX[domain],
        )


def find_slots(features: DataFrame, condition: str) -> list[tuple[int, int]]:
    """Return the slots that hold a number `x` that meets `condition`, with the count of such rows.

    Args:
        condition: of numbers that are not 0; of a sparse vector only what it holds is looked at.
    """
    from pyspark.sql import functions as sf

    rows = (
        features.select(sf.unwrap_udt(FEATURES).alias("v"))
        .selectExpr("v.indices AS places", "posexplode(v.values) AS (at, x)")
        .where(condition)
        .groupBy(sf.expr("coalesce(get(places, at), at)").alias("slot"))
        .count()
        .orderBy("slot")
        .collect()
    )
    return [(row["slot"], row["count"]) for row in rows]


def slots_text(found: Sequence[tuple[int, int]], slots: Sequence[str]) -> str:
    """Return `'x' (1 row), 'n' (2 rows)`, the first of many."""
    shown = ", ".join(f"'{slots[slot]}' ({rows_text(count)})" for slot, count in found[:_SHOWN])
    return f"{shown} and {len(found) - _SHOWN} more" if len(found) > _SHOWN else shown


def _check_count(ml_model: MlModel, entry: Estimator, slots: Sequence[str], place: SourceLocation) -> None:
    is_linear = entry.name == "LinearRegression" and ml_model.params.get("solver") == "normal"
    if len(slots) <= MOST_EXACT or not (is_linear or entry.name == "GeneralizedLinearRegression"):
        return
    what = f"'{entry.name}' of ml model '{ml_model.name}' solves for {MOST_EXACT} slots, and there are {len(slots)}"
    less = "lower max_categories:, vocabSize or numFeatures, or make fewer with reduce: {pca: K}"
    raise DataError(what, place, "write solver: l-bfgs" if is_linear else less)


def _check_angles(features: DataFrame, ml_model: MlModel, entry: Estimator, place: SourceLocation) -> None:
    from pyspark.sql import functions as sf

    values = features.select(sf.unwrap_udt(FEATURES).alias("v"))
    if count := values.where("NOT exists(v.values, x -> x != 0)").count():
        what = f"'{entry.name}' of ml model '{ml_model.name}' compares directions, and "
        what += f"every slot is 0 in {rows_text(count)}"
        raise DataError(what, place, "leave them out by 'where:', or write distanceMeasure: euclidean")


def _names(slots: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in slots[:_SHOWN])
    return f"{shown} and {len(slots) - _SHOWN} more" if len(slots) > _SHOWN else shown
