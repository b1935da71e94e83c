"""Infers the schema of json files as Spark does: files and reader options in, columns with types out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlml.compile.data_files.text_files import Options, open_text, size_of
from sqlml.compile.types.spark_types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    STRING,
    VOID,
    AtomicType,
    SparkType,
    array_of,
    struct_of,
)

# Spark reads every row to learn names and types; up to this size we do the same.
_READ_BYTES = 8_000_000

# With any other option, names or types may be others.
_PLAIN = frozenset({"multiline", "mode", "encoding", "charset", "dateformat", "timestampformat", "inferschema"})


@dataclass(slots=True)
class _Array:
    element: _Shape


@dataclass(slots=True)
class _Struct:
    fields: dict[str, _Shape]


# What is known of a value: `VOID` of one that is null or empty, None if only Spark can tell.
_Shape = AtomicType | _Array | _Struct | None


def json_columns(
    files: list[Path], options: Options, declared: Collection[str]
) -> list[tuple[str, SparkType | None]] | None:
    """Return the columns of json files; None: they are too large, or not plain.

    Raises:
        OSError, ValueError: they cannot be read.
    """
    if not options.keys() <= _PLAIN or size_of(files) > _READ_BYTES:
        return None
    found = _Struct({})
    for text in _texts(files, options):
        try:
            value = json.loads(text)
        except ValueError as error:
            if "'" in text or "Extra data" in str(error):
                # Spark takes single quotes, and of several values in a line the first.
                return None
            raise
        for row in value if isinstance(value, list) else [value]:
            shape = _shape(row)
            if not isinstance(shape, _Struct):
                return None
            _merged(found, shape)
    # Spark sorts what it infers, and leaves out what is always an empty object.
    return [(name, _type_of(found.fields[name])) for name in sorted(found.fields) if not _is_empty(found.fields[name])]


def _texts(files: list[Path], options: Options) -> Iterator[str]:
    is_whole = options.get("multiline", "").lower() == "true"
    for file in files:
        with open_text(file, options) as lines:
            if is_whole:
                yield lines.read()
            else:
                yield from (line for line in lines if line.strip())


def _shape(value: Any) -> _Shape:
    if value is None or value == "":
        return VOID
    if isinstance(value, str):
        return STRING
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        # What no bigint holds becomes a decimal, or a double.
        return BIGINT if -(2**63) <= value < 2**63 else None
    if isinstance(value, float):
        return DOUBLE
    if isinstance(value, dict):
        return _Struct({name: _shape(inner) for name, inner in value.items() if name})
    element: _Shape = VOID
    for inner in value:
        element = _merged(element, _shape(inner))
    return _Array(element)


def _merged(left: _Shape, right: _Shape) -> _Shape:
    """Return the shape that holds both; `left` may be changed and returned."""
    if left is None or right is None:
        return None
    if right == VOID:
        return left
    if left == VOID:
        return right
    if isinstance(left, _Struct) and isinstance(right, _Struct):
        for name, shape in right.fields.items():
            left.fields[name] = _merged(left.fields.get(name, VOID), shape)
        return left
    if isinstance(left, _Array) and isinstance(right, _Array):
        left.element = _merged(left.element, right.element)
        return left
    if left == right:
        return left
    return DOUBLE if left in (BIGINT, DOUBLE) and right in (BIGINT, DOUBLE) else STRING


def _is_empty(shape: _Shape) -> bool:
    if isinstance(shape, _Array):
        return _is_empty(shape.element)
    return isinstance(shape, _Struct) and all(_is_empty(inner) for inner in shape.fields.values())


def _type_of(shape: _Shape) -> SparkType | None:
    if isinstance(shape, _Array):
        return array_of(_type_of(shape.element))
    if isinstance(shape, _Struct):
        kept = [name for name in sorted(shape.fields) if not _is_empty(shape.fields[name])]
        return struct_of(*[(name, _type_of(shape.fields[name])) for name in kept])
    return STRING if shape == VOID else shape
