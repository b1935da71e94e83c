"""Looks at the feature vectors before a fit: what an estimator cannot read, named by slot, in errors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.estimators import Estimator
from sqlml.ir.project import MlModel
from sqlml.ir.roles import Domain
from sqlml.run.ml.checks import rows_text
from sqlml.run.ml.features import FEATURES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHOWN = 10
_WRONG = {Domain.NON_NEGATIVE: "x < 0", Domain.ZERO_ONE: "x NOT IN (0, 1)"}
_FIX = {
    Domain.NON_NEGATIVE: "leave them out, scale them with min_max, or make counts of them in the SQL",
    Domain.ZERO_ONE: "leave them out, or make 0 and 1 of them in the SQL",
}


def check_slots(features: DataFrame, ml_model: MlModel, entry: Estimator, slots: Sequence[str]) -> None:
    """Check that the vectors hold what `entry` can read; a scan only where it cannot read every number.

    Args:
        features: the training rows with the vector `features`.
        slots: names of the vector's slots.

    Raises:
        DataError: it cannot; slots and rows are named.
    """
    from pyspark.sql import functions as sf

    place = ml_model.places.value_of("features" if ml_model.include else "training_data")
    if entry.max_features == 1 and len(slots) > 1 and "featureIndex" not in ml_model.params:
        raise DataError(
            f"'{entry.name}' of ml model '{ml_model.name}' reads one number, and its feature makes {len(slots)}: "
            f"{_names(slots)}",
            place,
            "take a column that is a number, or choose one by its place from 0: params: {featureIndex: 0}",
        )
    domain = entry.feature_domain(ml_model.params)
    if domain not in _WRONG:
        return
    # Of a sparse vector only what it holds is looked at: a zero is right in every domain.
    found = (
        features.select(sf.unwrap_udt(FEATURES).alias("v"))
        .selectExpr("v.indices AS places", "posexplode(v.values) AS (at, x)")
        .where(_WRONG[domain])
        .groupBy(sf.expr("coalesce(get(places, at), at)").alias("slot"))
        .count()
        .orderBy("slot")
        .collect()
    )
    if found:
        numbers = ", ".join(f"'{slots[row.slot]}' ({rows_text(row['count'])})" for row in found[:_SHOWN])
        rest = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise DataError(
            f"'{entry.name}' of ml model '{ml_model.name}' reads only numbers that are {domain.value}, "
            f"which not all are in {numbers}{rest}",
            place,
            _FIX[domain],
        )


def _names(slots: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in slots[:_SHOWN])
    return f"{shown} and {len(slots) - _SHOWN} more" if len(slots) > _SHOWN else shown
