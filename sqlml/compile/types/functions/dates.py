"""Functions of dates, times and windows of time whose type depends on what they get."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.types.coercion import common_type
from sqlml.compile.types.functions.call import Call, Rule, always, named
from sqlml.compile.types.literals import constant_integer
from sqlml.compile.types.spark_types import (
    BIGINT,
    DATE,
    DATETIMES,
    INT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_NTZ,
    TINYINT,
    AtomicType,
    DecimalType,
    IntervalType,
    SparkType,
    StructType,
    array_of,
    is_integer,
    struct_of,
)

# Spark's names of parts of a date or time.
_SECONDS = frozenset({"second", "s", "sec", "seconds", "secs"})
# What an interval has as its smaller units, whose numbers are small.
_NARROW = frozenset(
    {
        *("month", "mon", "mons", "months"),
        *("hour", "h", "hours", "hr", "hrs"),
        *("minute", "m", "min", "mins", "minutes"),
    }
)
_WHOLE = _NARROW | {
    *("year", "y", "years", "yr", "yrs", "yearofweek"),
    *("quarter", "qtr", "week", "w", "weeks", "doy"),
    *("day", "d", "days", "dayofweek", "dow", "dayofweek_iso", "dow_iso"),
}


def _moved(call: Call) -> SparkType | None:
    """`dateadd(unit, n, when)` and `timestampadd`: a date becomes a timestamp."""
    found = call.type(0)
    if found == TIMESTAMP_NTZ:
        return TIMESTAMP_NTZ
    return TIMESTAMP if found in (DATE, TIMESTAMP, STRING) else None


def _difference(call: Call) -> SparkType | None:
    return INT if call.slot("unit") is None else BIGINT


def _truncated(call: Call) -> SparkType | None:
    found = call.type(0)
    return TIMESTAMP if found in (DATE, TIMESTAMP, STRING, TIMESTAMP_NTZ) else None


def _part(call: Call) -> SparkType | None:
    unit, when = call.arg(0), call.type(1)
    name = unit.name.lower() if unit is not None else ""
    if when is None or not isinstance(unit, exp.Literal | exp.Var | exp.Column | exp.Identifier):
        return None
    if name in _SECONDS:
        return DecimalType(8, 6)
    if name not in _WHOLE:
        return None
    return TINYINT if name in _NARROW and isinstance(when, IntervalType) else INT


def _window(call: Call) -> SparkType | None:
    found = call.type(0)
    if found not in (*DATETIMES, STRING):
        return None
    edge = TIMESTAMP_NTZ if found == TIMESTAMP_NTZ else TIMESTAMP
    return struct_of(("start", edge), ("end", edge))


def _window_time(call: Call) -> SparkType | None:
    found = call.type(0)
    return found.field("end") if isinstance(found, StructType) else None


def _sequence(call: Call) -> SparkType | None:
    start, end, step = call.type(0), call.type(1), call.type(2)
    if call.arg(2) is not None and is_integer(start):
        return array_of(common_type([start, end, step]))
    return array_of(common_type([start, end]))


def _time(call: Call) -> SparkType | None:
    digits = constant_integer(call.arg(0)) if call.args else 6
    return None if digits is None else AtomicType(f"time({digits})")


def _bucket(call: Call) -> SparkType | None:
    found = call.type(1)
    return found if found in (TIMESTAMP, TIMESTAMP_NTZ) else None


RULES: dict[str, Rule] = {
    **named(always(DATE), "tsordsadd datetrunc"),
    **named(_moved, "timestampadd"),
    **named(_difference, "datediff"),
    **named(_truncated, "timestamptrunc"),
    **named(_part, "extract date_part datepart"),
    **named(_window, "window session_window"),
    **named(_window_time, "window_time"),
    **named(_sequence, "generateseries"),
    **named(_time, "currenttime localtime"),
    **named(_bucket, "time_bucket"),
}
