"""Which types a table can hold: a typed column in, what is wrong with it out."""

from __future__ import annotations

import re

from sqlml.ir.state import Column

# An interval of days or of months can be stored, one of both at once cannot.
_NOT_IN_PARQUET = re.compile(r"\binterval\b(?! (?:year|month|day|hour|minute|second)\b)|struct<>")


def find_untyped(column: Column, name: str) -> tuple[str, str] | None:
    """Return what is wrong with a column of the relation `name` that is a null without a type, and the fix."""
    if column.type != "void":
        return None
    return f"column '{column.name}' of '{name}' is a null without a type", f"write cast(null as TYPE) as {column.name}"


def find_unstorable(column: Column, name: str) -> tuple[str, str] | None:
    """Return what is wrong with a column of the table `name` whose type Parquet does not know, and the fix."""
    if not _NOT_IN_PARQUET.search(column.type):
        return None
    what = f"column '{column.name}' of '{name}' is of type {column.type}, which no table can hold"
    return what, "make numbers or texts of it, or say config(materialized='ephemeral')"
