"""Checks params against Spark ML's own: a class name and values from YAML in, errors with near matches out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlml.compile.param_limits import find_fault
from sqlml.compile.param_rules import find_conflicts
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.location import Places
from sqlml.ir.spark_params import spark_params


def check_params(stages: Sequence[str], params: Mapping[str, Any], places: Places, key: str) -> Iterator[SqlmlError]:
    """Yield an error for each param that none of the classes `stages` has, or that Spark would refuse at the fit.

    Args:
        key: path of the params in the entry (`params`), for places.
    """
    title = f"'{stages[0]}' has no" if len(stages) == 1 else "no stage of this transform has a"
    # Columns are named by their roles.
    usable = {name for stage in stages for name, param in spark_params(stage).items() if not param.is_column}
    refused: set[str] = set()
    for name, value in params.items():
        place = places.value_of(f"{key}.{name}")
        if name not in usable:
            key_place = places.of(f"{key}.{name}")
            yield CompileError(f"{title} param '{name}'", key_place, suggest(name, usable, "there are"))
        owners = [stage for stage in stages if name in usable and name in spark_params(stage)]
        faults = {find_fault(spark_params(stage)[name], value) for stage in owners} - {None}
        for what, fix in sorted(fault for fault in faults if fault is not None):
            yield CompileError(what, place, fix)
        if name not in usable or faults:
            refused.add(name)
    for stage in stages:
        own = {name: value for name, value in params.items() if name in spark_params(stage) and name not in refused}
        for name, what, fix in find_conflicts(stage, own):
            yield CompileError(what, places.value_of(f"{key}.{name}"), fix)
