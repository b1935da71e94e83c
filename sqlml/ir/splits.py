"""The split of an ML model with its defaults."""

from __future__ import annotations

from dataclasses import replace

from sqlml.ir.estimators import estimator_of
from sqlml.ir.project import MlModel, Split


def resolve_split(ml_model: MlModel) -> Split:
    """Return the split of `ml_model` with its defaults: by event time if there is one, else by hash of the keys.

    Nothing is held out from an estimator of which nothing is measured.
    """
    split = ml_model.split
    by = split.by or ("time" if ml_model.event_time else "hash")
    if not estimator_of(ml_model).is_evaluated:
        by = "none"
    columns = split.columns
    if not columns and by == "time" and ml_model.event_time:
        columns = (ml_model.event_time,)
    if not columns and by == "hash":
        columns = ml_model.keys
    return replace(split, by=by, columns=columns)
