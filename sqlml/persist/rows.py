"""Outputs, versions, test outcomes and aliases <-> rows of the state's tables, with locations relative in the state."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, TypeVar, cast

from sqlalchemy import RowMapping, Table

from sqlml.ir.state import Metric, Output, Version
from sqlml.persist import codec
from sqlml.persist.tables import METRICS, OUTPUTS, VERSIONS
from sqlml.persist.warehouse import Warehouse

Kept = TypeVar("Kept")


def to_row(value: Any, table: Table, /, **more: Any) -> dict[str, Any]:
    """Return the row of a dataclass: its fields by the columns of their names, those without one as JSON in `more`."""
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    row = {name: field for name, field in fields.items() if name in table.c}
    if "more" in table.c:
        row["more"] = {name: field for name, field in fields.items() if name not in table.c} or None
    return {name: _storable(entry) for name, entry in {**row, **more}.items()}


def from_row(kind: type[Kept], row: RowMapping, **more: Any) -> Kept:
    """Return the dataclass that `to_row` was given; `more` are fields that the row does not have or not so."""
    values: dict[str, Any] = {**(row.get("more") or {}), **row, **more}
    hints = codec.field_types(cast(Any, kind))
    return kind(**{name: codec.restore(hint, values[name]) for name, hint in hints.items() if name in values})


def output_row(output: Output, warehouse: Warehouse, schema: str, built_at: str) -> dict[str, Any]:
    """Return the row of an output that is now current."""
    return to_row(
        output,
        OUTPUTS,
        schema=schema,
        name=node_name(output.node_id),
        location=None if output.location is None else warehouse.relative(output.location),
        built_at=output.built_at or built_at,
        is_current=True,
        is_kept=True,
    )


def output_of(row: RowMapping, warehouse: Warehouse) -> Output:
    """Return the output of a row, its location absolute."""
    location = row["location"]
    return from_row(Output, row, location=None if location is None else str(warehouse.absolute(location)))


def version_row(version: Version, warehouse: Warehouse, schema: str, created_at: str) -> dict[str, Any]:
    """Return the row of a version, without its metrics."""
    row = to_row(
        version,
        VERSIONS,
        schema=schema,
        location=warehouse.relative(version.location),
        created_at=version.created_at or created_at,
    )
    row["more"] = {name: entry for name, entry in (row["more"] or {}).items() if name != "metrics"} or None
    return row


def version_of(row: RowMapping, warehouse: Warehouse, metrics: tuple[Metric, ...]) -> Version:
    """Return the version of a row with its metrics, its location absolute."""
    location = str(warehouse.absolute(row["location"]))
    # Not through `restore`: they are metrics already.
    return dataclasses.replace(from_row(Version, row, location=location), metrics=metrics)


def metric_rows(version: Version, schema: str) -> list[dict[str, Any]]:
    """Return the rows of a version's metrics, in their order."""
    return [
        to_row(
            metric,
            METRICS,
            schema=schema,
            ml_model=version.ml_model,
            version=version.version,
            position=position,
            # SQLite makes a NaN a null by itself; other databases would not.
            value=None if math.isnan(metric.value) else float(metric.value),
        )
        for position, metric in enumerate(version.metrics)
    ]


def metric_of(row: RowMapping) -> Metric:
    """Return the metric of a row."""
    return from_row(Metric, row, value=float("nan") if row["value"] is None else row["value"])


def node_name(node_id: str) -> str:
    """Return the name of a relation from its id (`sql_model.x`: `x`)."""
    return node_id.partition(".")[2]


def printable(text: str) -> str:
    """Return `text` in a form that every database takes: what is no Unicode (broken file names), and NUL, escaped."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    # numpy's numbers are not known to every driver.
    return value.item() if hasattr(value, "dtype") else value
