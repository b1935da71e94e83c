"""Generic data tests: a test as declared and the relation it is on in, its name and its SELECT of failures out."""

from __future__ import annotations

import datetime
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlml.errors import ResolveError, suggest
from sqlml.ir.project import DataTest
from sqlml.resolve.index import quoted

# Names become file names of target/compiled, and 255 bytes is what file systems take.
_LONGEST_NAME = 150


def name_test(test: DataTest, owner: str) -> str:
    """Return the name that dbt would give `test` on the node `owner` (`not_null_flights_flight_id`).

    Args:
        test: a generic test.
        owner: the SQL model's or seed's name, or `source.table`, which gives `source_not_null_source_table_column`.
    """
    if test.name:
        return test.name
    prefix = "source_" if "." in owner else ""
    # dbt orders the arguments by name.
    arguments = {"column_name": test.column or "", **test.arguments}
    parts: list[str] = []
    for _, value in sorted(arguments.items()):
        parts.extend(map(str, value) if isinstance(value, (list, tuple)) else [str(value)])
    cleaned = "__".join(re.sub("[^0-9a-zA-Z_]+", "_", part) for part in parts)
    name = f"{prefix}{test.kind}_{owner.replace('.', '_')}_{cleaned}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 11]}_{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def write_test(test: DataTest, relation: str, to: str | None) -> str:
    """Return the SELECT of the failures of a generic test: one row for each, and none if all is well.

    Args:
        test: a generic test; its column is one column, whatever characters its name has.
        relation: the tested relation, quoted.
        to: the relation that `relationships` refers to, quoted.

    Raises:
        ResolveError: without a place, for arguments that make no test.
    """
    if test.kind not in _WRITERS:
        raise ResolveError(f"there is no data test '{test.kind}'", None, suggest(test.kind, _WRITERS, "there are"))
    if test.column is None:
        raise ResolveError(f"data test '{test.kind}' needs a column", None, "write it under a column")
    return _WRITERS[test.kind](quoted(test.column), _rows(test, relation), test.arguments, to)


def failing_condition(test: DataTest) -> str | None:
    """Return what a failing row meets, for the tests of which one scan can answer many; None for the others.

    Example:
        accepted_values of `size`, values [S, L], where "is_sold"  ->  (is_sold) and (`size` not in ('S', 'L'))
    """
    if test.column is None:
        return None
    if test.kind == "not_null":
        failing = f"{quoted(test.column)} is null"
    elif test.kind == "accepted_values":
        failing = f"{quoted(test.column)} not in ({', '.join(_accepted(test.arguments))})"
    else:
        return None
    return f"(\n{test.where.strip()}\n) and ({failing})" if test.where else failing


def _rows(test: DataTest, relation: str) -> str:
    if not test.where:
        return relation
    # On lines of its own, so that a comment at the condition's end swallows nothing.
    return f"(\n  select * from {relation}\n  where\n    {test.where.strip()}\n)"


def _write_not_null(column: str, rows: str, arguments: Mapping[str, Any], to: str | None) -> str:
    return f"select *\nfrom {rows} as tested\nwhere {column} is null\n"


def _write_unique(column: str, rows: str, arguments: Mapping[str, Any], to: str | None) -> str:
    return (
        f"select {column} as unique_field, count(*) as n_records\nfrom {rows} as tested\n"
        f"where {column} is not null\ngroup by {column}\nhaving count(*) > 1\n"
    )


def _write_accepted_values(column: str, rows: str, arguments: Mapping[str, Any], to: str | None) -> str:
    return (
        f"select {column} as value_field, count(*) as n_records\nfrom {rows} as tested\n"
        f"where {column} not in ({', '.join(_accepted(arguments))})\ngroup by {column}\n"
    )


def _accepted(arguments: Mapping[str, Any]) -> list[str]:
    # A null among the values would make the condition unknown for every row, and the test pass always.
    values = [value for value in arguments.get("values", ()) if value is not None]
    if any(isinstance(value, str) for value in values):
        # Beside a number, Spark would read every text as a number, and fail.
        values = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    if not values:
        raise ResolveError("data test 'accepted_values' has no values", None, "write values: [a, b]")
    return [literal(value) for value in values]


def _write_relationships(column: str, rows: str, arguments: Mapping[str, Any], to: str | None) -> str:
    field = arguments.get("field")
    if not isinstance(field, str) or to is None:
        raise ResolveError("data test 'relationships' needs 'to' and 'field'", None, "write to: ref('x') and field: id")
    return (
        f"select child.{column} as from_field\nfrom {rows} as child\n"
        f"left join {to} as parent on child.{column} = parent.{quoted(field)}\n"
        f"where child.{column} is not null and parent.{quoted(field)} is null\n"
    )


_WRITERS: Mapping[str, Callable[[str, str, Mapping[str, Any], str | None], str]] = {
    "not_null": _write_not_null,
    "unique": _write_unique,
    "accepted_values": _write_accepted_values,
    "relationships": _write_relationships,
}


def literal(value: Any) -> str:
    """Return `value` as a Spark literal; raise ResolveError for what has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, datetime.datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, datetime.date):
        return f"date '{value.isoformat()}'"
    raise ResolveError(
        f"{value!r} cannot be written as a value in SQL", None, "use text, numbers, true, false or dates"
    )
