"""Checks the params of an ML model's estimator: those of Spark's class, and sqlml's own."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.compile.params import check_params
from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.estimators import estimator_of
from sqlml.ir.project import MlModel


def check_estimator_params(ml_model: MlModel) -> Iterator[SqlmlError]:
    """Yield what is wrong with `params:` of an ML model."""
    entry, places = estimator_of(ml_model), ml_model.places
    if entry.is_foreign:
        # Only the class knows them, and importing it would run it.
        return
    given = dict(ml_model.params)
    for name in [name for name in given if name in entry.refused_params]:
        del given[name]
        yield CompileError(
            f"'{entry.name}' takes no param '{name}' here", places.of(f"params.{name}"), entry.refused_params[name]
        )
    own = {name: given.pop(name) for name in entry.own_params if name in given}
    if "hiddenLayers" in own and not _is_layers(own["hiddenLayers"]):
        what = "param 'hiddenLayers' takes a list of whole numbers above 0"
        yield CompileError(what, places.value_of("params.hiddenLayers"), "write hiddenLayers: [8, 4]")
    if entry.over is not None:
        # OneVsRest's own are few, and none of them is a classifier's too.
        outer = {name: given.pop(name) for name in ("parallelism",) if name in given}
        yield from check_params([entry.name], outer, places, "params")
    yield from check_params([entry.over.name if entry.over else entry.name], given, places, "params")


def check_threshold(ml_model: MlModel) -> Iterator[SqlmlError]:
    """Yield that a threshold is given twice."""
    for name in ("threshold", "thresholds") if ml_model.has_threshold else ():
        if name in ml_model.params:
            what = f"ml model '{ml_model.name}' gives a threshold twice: 'threshold' and the param '{name}'"
            yield CompileError(what, ml_model.places.of(f"params.{name}"), f"remove the param '{name}'")


def _is_layers(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in value
    )
