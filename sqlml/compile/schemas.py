"""Columns and types of sources and seeds without Spark: a declaration and its files in, what Spark will read out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.compile.kept_schemas import SchemaReader
from sqlml.compile.types import SparkType, parse_type
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.dag import SeedNode, SourceNode
from sqlml.ir.project import Seed, Source

if TYPE_CHECKING:
    from sqlml.compile.data_files import FileColumns

# Their files carry no types, so that a declared one decides; Parquet and ORC are read with their own.
_UNTYPED = ("csv", "json")
_OTHER_FILES = "make the files anew, or say which ones are meant (path:) and what they are (format:)"

# Those that a column of a file is declared with.
_TYPES = (
    *("array<…>", "bigint", "binary", "boolean", "date", "decimal(10,2)", "double", "float", "int", "map<…>"),
    *("smallint", "string", "struct<…>", "timestamp", "timestamp_ntz", "tinyint"),
)

# What other databases call them, and what Spark does.
_FOREIGN_TYPES = {
    "bool": "boolean",
    "datetime": "timestamp",
    "float64": "double",
    "int64": "bigint",
    "number": "decimal(38,0)",
    "text": "string",
    "varchar": "string",
}


def read_columns(
    node: SourceNode | SeedNode, schemas: SchemaReader, root: Path, errors: list[SqlmlError]
) -> Mapping[str, SparkType | None] | None:
    """Return the columns of a source or seed in order, each with its type; errors are appended to `errors`.

    A type is None, and so are the columns as a whole, where only Spark can tell.

    Errors: the path does not exist, the file cannot be read, names that differ only in case, a name with a dot,
    declared columns that the file lacks, and declared types that Spark does not have.
    """
    declared = node.source if isinstance(node, SourceNode) else node.seed
    title = f"{node.kind} '{node.name}'"
    place = declared.places.value_of("path")
    if not (root / declared.path).exists():
        errors.append(CompileError(f"{title} reads '{declared.path}', which does not exist", place))
        return None
    is_untyped = declared.format in _UNTYPED
    if is_untyped:
        errors.extend(_check_types(declared, title))
    given = {column.name.lower(): column.data_type for column in declared.columns if column.data_type and is_untyped}
    try:
        columns = schemas.read(node.id, declared, given.keys())
    except (OSError, ValueError, EOFError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        errors.append(CompileError(f"{title} cannot be read as {declared.format}: {reason}", place, _OTHER_FILES))
        return None
    if columns is None:
        return None
    found = _check_names(declared, title, columns)
    errors.extend(found)
    if found:
        return None
    return {name: parse_type(given[name.lower()]) if name.lower() in given else inferred for name, inferred in columns}


def _check_types(declared: Source | Seed, title: str) -> Iterator[SqlmlError]:
    for number, column in enumerate(declared.columns):
        text = column.data_type
        if text is None or parse_type(text) is not None:
            continue
        what = f"{title} declares column '{column.name}' as '{text}', which is no type of Spark's"
        other = _FOREIGN_TYPES.get(text.strip().lower())
        fix = f"write data_type: {other}" if other else suggest(text, _TYPES, "types are")
        yield CompileError(what, declared.places.value_of(f"columns.{number}.data_type"), fix)


def _check_names(declared: Source | Seed, title: str, columns: FileColumns) -> list[SqlmlError]:
    errors: list[SqlmlError] = []
    place = declared.places.value_of("path")
    seen: dict[str, str] = {}
    for name, _ in columns:
        if name.lower() in seen:
            what = f"{title} has the columns '{seen[name.lower()]}' and '{name}', which are one name to Spark"
            errors.append(CompileError(what, place, "rename one of them in the file"))
        if "." in name:
            what = f"{title} has a column '{name}': a dot in a name is read as a field of a struct"
            errors.append(CompileError(what, place, f"rename it in the file, as in '{name.replace('.', '_')}'"))
        seen.setdefault(name.lower(), name)
    for column in declared.columns:
        if column.name.lower() not in seen:
            what = f"{title} declares column '{column.name}', which '{declared.path}' does not have"
            errors.append(CompileError(what, column.location, suggest(column.name, [name for name, _ in columns])))
    return errors
