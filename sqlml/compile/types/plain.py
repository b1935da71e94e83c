"""Types as plain data that JSON can hold, without loss: a SparkType in, text and lists out, and back.

The text that Spark has for a type is not enough: a struct's field may have any name.
"""

from __future__ import annotations

from typing import Any

from sqlml.compile.types.spark_types import (
    ArrayType,
    AtomicType,
    DecimalType,
    Field,
    IntervalType,
    MapType,
    SparkType,
    StructType,
)


def to_plain(given: SparkType | None) -> Any:
    """Return a name for a type without parameters, else a list that begins with what it is; None for None."""
    if given is None:
        return None
    if isinstance(given, AtomicType):
        return given.name
    if isinstance(given, DecimalType):
        return ["decimal", given.precision, given.scale]
    if isinstance(given, IntervalType):
        return ["interval", given.start, given.end]
    if isinstance(given, ArrayType):
        return ["array", to_plain(given.element)]
    if isinstance(given, MapType):
        return ["map", to_plain(given.key), to_plain(given.value)]
    return ["struct", *[[field.name, to_plain(field.type)] for field in given.fields]]


def from_plain(plain: Any) -> SparkType | None:
    """Return the type that `to_plain` made `plain` of; None for anything else."""
    if isinstance(plain, str):
        return AtomicType(plain)
    match plain:
        case ["decimal", int(precision), int(scale)]:
            return DecimalType(precision, scale)
        case ["interval", int(start), int(end)]:
            return IntervalType(start, end)
        case ["array", inner] if (element := from_plain(inner)) is not None:
            return ArrayType(element)
        case ["map", first, second] if (key := from_plain(first)) is not None:
            value = from_plain(second)
            return None if value is None else MapType(key, value)
        case ["struct", *fields]:
            return _struct(fields)
    return None


def _struct(plain: list[Any]) -> StructType | None:
    fields = []
    for entry in plain:
        match entry:
            case [str(name), inner] if (found := from_plain(inner)) is not None:
                fields.append(Field(name, found))
            case _:
                return None
    return StructType(tuple(fields))
