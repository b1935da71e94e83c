"""Reads types written as text: `simpleString`, DDL or the column list of a schema string in, a SparkType out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlml.compile.types.spark_types import (
    BIGINT,
    BINARY,
    BOOLEAN,
    CALENDAR_INTERVAL,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    MAX_PRECISION,
    SMALLINT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_NTZ,
    TINYINT,
    UNITS,
    VARIANT,
    VOID,
    ArrayType,
    AtomicType,
    DecimalType,
    Field,
    IntervalType,
    MapType,
    SparkType,
    StructType,
)

# Names in SQL and, for a session whose timestamps have a time zone, what they mean.
NAMES: dict[str, SparkType] = {
    "tinyint": TINYINT,
    "byte": TINYINT,
    "smallint": SMALLINT,
    "short": SMALLINT,
    "int": INT,
    "integer": INT,
    "bigint": BIGINT,
    "long": BIGINT,
    "float": FLOAT,
    "real": FLOAT,
    "double": DOUBLE,
    "boolean": BOOLEAN,
    "string": STRING,
    "binary": BINARY,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "timestamp_ltz": TIMESTAMP,
    "timestamp_ntz": TIMESTAMP_NTZ,
    "variant": VARIANT,
    "void": VOID,
    "time": AtomicType("time(6)"),
}

_TOKENS = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|\w+|[<>(),:]|\S")


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    at: int = 0
    seen: list[str] = field(default_factory=list)

    def peek(self) -> str:
        return self.tokens[self.at].lower() if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def takes(self, expected: str) -> bool:
        if self.peek() != expected:
            return False
        self.at += 1
        return True


def parse_type(text: str) -> SparkType | None:
    """Return the type that `text` names, as a column of a query has it; None: none that is known.

    A fixed-length string becomes a string, as in every result of a query.
    """
    reader = _Reader(_TOKENS.findall(text))
    found = _read_type(reader)
    return found if not reader.peek() else None


def parse_schema(text: str) -> SparkType | None:
    """Return the type of a schema string as `from_json` takes it: a type, a column list, or Spark's JSON."""
    if text.lstrip().startswith("{"):
        return _from_json(text)
    reader = _Reader(_TOKENS.findall(text))
    found = _read_fields(reader, "")
    if found is not None and not reader.peek():
        return found
    return parse_type(text)


def _read_type(reader: _Reader) -> SparkType | None:
    name = reader.take().lower()
    if name == "array" and reader.takes("<"):
        element = _read_type(reader)
        return ArrayType(element) if element is not None and reader.takes(">") else None
    if name == "map" and reader.takes("<"):
        key = _read_type(reader) if not reader.takes(",") else None
        value = _read_type(reader) if key is not None and reader.takes(",") else None
        return MapType(key, value) if key is not None and value is not None and reader.takes(">") else None
    if name == "struct" and reader.takes("<"):
        return StructType(()) if reader.takes(">") else _read_fields(reader, ">")
    if name == "interval":
        return _read_interval(reader)
    return _atomic(name, [int(number) for number in _numbers(reader)], reader)


def _atomic(name: str, numbers: list[int], reader: _Reader) -> SparkType | None:
    if name in ("decimal", "dec", "numeric"):
        precision, scale = (*numbers, 0) if len(numbers) == 1 else numbers or (10, 0)
        return DecimalType(precision, scale) if scale <= precision <= MAX_PRECISION else None
    if name in ("char", "varchar", "character") and len(numbers) == 1:
        return STRING
    if name == "time" and numbers:
        return AtomicType(f"time({numbers[0]})")
    if name == "timestamp" and reader.takes("without"):
        return TIMESTAMP_NTZ if reader.takes("time") and reader.takes("zone") else None
    if name == "string" and reader.takes("collate"):
        return AtomicType(f"string collate {reader.take().upper()}")
    return NAMES.get(name) if not numbers else None


def _numbers(reader: _Reader) -> Iterator[str]:
    if reader.takes("("):
        while not reader.takes(")"):
            token = reader.take()
            if token.isdigit():
                yield token
            elif not token:
                return


def _read_interval(reader: _Reader) -> SparkType | None:
    if reader.peek() not in UNITS:
        return CALENDAR_INTERVAL
    first = last = reader.take().lower()
    if reader.takes("to"):
        last = reader.take().lower()
    return interval_of(first, last)


def interval_of(first: str, last: str) -> IntervalType | None:
    """Return the interval from the unit `first` to the unit `last`; None if Spark has no such type."""
    if first not in UNITS or last not in UNITS:
        return None
    start, end = UNITS.index(first), UNITS.index(last)
    return IntervalType(start, end) if start <= end and (start <= 1) == (end <= 1) else None


def _read_fields(reader: _Reader, close: str) -> StructType | None:
    fields: list[Field] = []
    while True:
        token = reader.take()
        if not token or token in "<>(),:":
            return None
        name = token[1:-1].replace("``", "`") if token.startswith("`") else token
        reader.takes(":")
        found = _read_type(reader)
        if found is None:
            return None
        if reader.takes("not"):
            reader.takes("null")
        if reader.takes("comment"):
            reader.take()
        fields.append(Field(name, found))
        if reader.takes(","):
            continue
        return StructType(tuple(fields)) if not close or reader.takes(close) else None


def _from_json(text: str) -> SparkType | None:
    try:
        return _json_type(json.loads(text))
    except ValueError:
        return None


def _json_type(given: object) -> SparkType | None:
    if isinstance(given, str):
        return parse_type({"integer": "int", "long": "bigint"}.get(given, given))
    if not isinstance(given, dict):
        return None
    if given.get("type") == "array":
        element = _json_type(given.get("elementType"))
        return None if element is None else ArrayType(element)
    if given.get("type") == "map":
        key, value = _json_type(given.get("keyType")), _json_type(given.get("valueType"))
        return None if key is None or value is None else MapType(key, value)
    if given.get("type") != "struct":
        return None
    fields = [(entry["name"], _json_type(entry["type"])) for entry in given.get("fields", ())]
    known = [Field(name, found) for name, found in fields if found is not None]
    return StructType(tuple(known)) if len(known) == len(fields) else None
