"""Says what it means when Spark fails in a fit: the vectors that it was given in, an error that names slots out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.estimators import Estimator
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.run.ml.feature_checks import find_slots, slots_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MEANINGS: Mapping[str, tuple[str, str]] = {
    "Can't normalize the 0-vector": (
        "some tree got no rows to learn from",
        "raise 'subsamplingRate', or bring more rows",
    ),
    "Matrix is not symmetric": (
        "the spread of the features is more than a number can hold",
        "scale the features, or clip them",
    ),
}
"""What Spark says where nothing in it tells a user what to do, with what it means and the fix."""


@contextmanager
def fit_failures(features: DataFrame, ml_model: MlModel, entry: Estimator, slots: Sequence[str]) -> Iterator[None]:
    """Raise what Spark raises inside the block as an error that names slots, if that is what it is about.

    Only then are the vectors looked through, which costs a scan.

    Args:
        features: the rows that are fitted on, with the vector `features` if `entry` reads one.

    Raises:
        DataError: a transform made NaN or infinite numbers; a message of Spark whose meaning is known.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        place = ml_model.places.value_of("transforms" if ml_model.transforms else "estimator")
        if entry.reads_features and (wrong := _not_finite(features, ml_model, slots, place)) is not None:
            raise wrong from error
        for said, (means, fix) in _MEANINGS.items():
            if said in str(error):
                what = f"'{entry.name}' of ml model '{ml_model.name}' cannot be fitted: {means}"
                raise DataError(what, place, fix) from error
        raise


def _not_finite(
    features: DataFrame, ml_model: MlModel, slots: Sequence[str], place: SourceLocation
) -> DataError | None:
    found = find_slots(features, "isnan(x) OR abs(x) = double('Infinity')")
    if not found:
        return None
    what = f"the transforms of ml model '{ml_model.name}' make NaN or infinite numbers of {slots_text(found, slots)}"
    return DataError(what, place, "make the features smaller: clip or scale them in the SQL")
