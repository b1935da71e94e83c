"""Infers the schema of csv files as Spark's `inferSchema` does: files and reader options in, columns with types out.

A value is given a type only if Spark surely gives it that one; a column with any other value is unknown, unless a value
that is surely a string makes it a column of strings.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime
from itertools import islice
from pathlib import Path

from sqlml.compile.data_files.text_files import Options, is_utf8, open_text, size_of
from sqlml.compile.types.spark_types import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP, SparkType

# Of larger files only the beginning is read, which is enough to see strings.
_INFERRED_BYTES = 4_000_000
_FIRST_ROWS = 2_000

# With any other option, what a value is may change.
_PLAIN = frozenset(
    {"header", "sep", "delimiter", "nullvalue", "mode", "enforceschema", "inferschema", "encoding", "charset"}
)

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
# A number without a digit after its point, and one with another exponent, may become a decimal.
_FRACTION = re.compile(r"[+-]?([0-9]*\.[0-9]+([eE]-0*[1-9][0-9]{0,2})?|[0-9]+[eE]-0*[1-9][0-9]{0,2})")
_NOT_FINITE = frozenset({"NaN", "Inf", "Infinity", "-Inf", "-Infinity"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
# No number, date or time begins so; `T10:00` is a time.
_TEXT_START = re.compile(r"[^\s0-9+\-.Tt\x00-\x20]")
# Letters that stand in no number, where nothing says that it may be a time.
_NO_NUMBER = re.compile(r"[0-9][^:\-]*[g-oq-wyzG-OQ-WYZ][^:\-]*")
_SPECIAL = frozenset({"nan", "inf", "infinity"})


def csv_columns(
    files: list[Path], options: Options, declared: Collection[str]
) -> list[tuple[str, SparkType | None]] | None:
    """Return the columns of csv files; types are inferred unless the type of each is declared.

    Raises:
        OSError, ValueError, csv.Error: they cannot be read.
    """
    separator = options.get("sep", options.get("delimiter", ",")).replace("\\t", "\t")
    quote = options.get("quote", '"')
    if len(separator) != 1 or len(quote) != 1:
        return None
    first = [_first_row(file, options, separator, quote) for file in files]
    has_header = options.get("header", "true").lower() == "true"
    if has_header and any(row != first[0] for row in first):
        return None
    names = [name if has_header and name else f"_c{at}" for at, name in enumerate(first[0])]
    if all(name.lower() in declared for name in names):
        return [(name, None) for name in names]
    types = _infer(files, options, separator, len(names), has_header)
    return list(zip(names, types, strict=True))


def _first_row(file: Path, options: Options, separator: str, quote: str) -> list[str]:
    with open_text(file, options) as lines:
        filled = (line for line in lines if line.strip())
        return next(csv.reader(filled, delimiter=separator, quotechar=quote), [])


def _infer(files: list[Path], options: Options, separator: str, width: int, has_header: bool) -> list[SparkType | None]:
    unknown: list[SparkType | None] = [None] * width
    if not options.keys() <= _PLAIN or not is_utf8(options):
        return unknown
    is_whole = size_of(files) <= _INFERRED_BYTES
    rows = list(_rows(files, options, separator, has_header, None if is_whole else _FIRST_ROWS))
    # What is quoted in another way, or is too long or too short, is Spark's to read.
    if any(row is None or len(row) != width for row in rows):
        return unknown
    ignored = {"", options.get("nullvalue", "")}
    columns = zip(*[row for row in rows if row is not None], strict=True) if rows else ((),) * width
    found = [_column_type(set(values) - ignored) for values in columns]
    return found if is_whole else [STRING if kind == STRING else None for kind in found]


def _rows(
    files: list[Path], options: Options, separator: str, has_header: bool, limit: int | None
) -> Iterator[list[str] | None]:
    """Yield the values of each line but the header; None for one that is not plain csv."""
    field = f'(?:"(?:[^"]|"")*"|[^"{re.escape(separator)}]*)'
    plain = re.compile(f"{field}(?:{re.escape(separator)}{field})*")
    for file in files:
        with open_text(file, options) as lines:
            filled = (line.rstrip("\r\n") for line in lines if line.strip())
            header = next(filled, "") if has_header else None
            for line in islice(filled, limit):
                if '"' not in line:
                    # Spark drops whatever equals the header.
                    if line != header:
                        yield line.split(separator)
                elif plain.fullmatch(line):
                    yield next(csv.reader([line], delimiter=separator))
                else:
                    yield None


def _column_type(values: Iterable[str]) -> SparkType | None:
    kinds: set[SparkType | None] = set()
    for value in values:
        kind = _value_type(value)
        if kind == STRING:
            return STRING
        kinds.add(kind)
    if not kinds or None in kinds:
        return None if kinds else STRING
    if len(kinds) == 1:
        return kinds.pop()
    if BOOLEAN in kinds:
        return STRING
    if kinds <= {INT, BIGINT, DOUBLE}:
        return DOUBLE if DOUBLE in kinds else BIGINT
    # A year alone is an integer or a timestamp, whichever comes first.
    return TIMESTAMP if kinds <= {DATE, TIMESTAMP} else None


def _value_type(value: str) -> SparkType | None:
    """Return what Spark surely takes `value`, alone in its column, for; None: not sure."""
    if _INTEGER.fullmatch(value):
        number = int(value)
        if -(2**31) <= number < 2**31:
            return INT
        return BIGINT if -(2**63) <= number < 2**63 else None
    if _FRACTION.fullmatch(value) or value in _NOT_FINITE:
        return DOUBLE
    if value.lower() in ("true", "false"):
        return BOOLEAN
    with suppress(ValueError):
        if _DATE.fullmatch(value):
            date.fromisoformat(value)
            return DATE
        if _TIMESTAMP.fullmatch(value):
            datetime.fromisoformat(value)
            return TIMESTAMP
    is_word = _TEXT_START.match(value) and value.strip().lower() not in _SPECIAL and not value[0].isnumeric()
    return STRING if is_word or _NO_NUMBER.fullmatch(value) else None
