"""Types of constants and of types that a query names: a node of the syntax tree in, a SparkType out."""

from __future__ import annotations

from sqlglot import exp

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
    VARIANT,
    VOID,
    AtomicType,
    DecimalType,
    IntervalType,
    SparkType,
    array_of,
    map_of,
    struct_of,
)
from sqlml.compile.types.type_text import interval_of

_INT_END = 2**31
_BIGINT_END = 2**63

_TYPES: dict[exp.DType, SparkType] = {
    exp.DType.TINYINT: TINYINT,
    exp.DType.SMALLINT: SMALLINT,
    exp.DType.INT: INT,
    exp.DType.BIGINT: BIGINT,
    exp.DType.FLOAT: FLOAT,
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.BOOLEAN: BOOLEAN,
    exp.DType.TEXT: STRING,
    exp.DType.CHAR: STRING,
    exp.DType.VARCHAR: STRING,
    exp.DType.BINARY: BINARY,
    exp.DType.DATE: DATE,
    exp.DType.TIMESTAMPTZ: TIMESTAMP,
    exp.DType.TIMESTAMPLTZ: TIMESTAMP,
    exp.DType.TIMESTAMP: TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: TIMESTAMP_NTZ,
    exp.DType.NULL: VOID,
    exp.DType.VARIANT: VARIANT,
}

# Units of an interval as they may be written -> first letters of the unit that Spark stores.
_UNITS = {
    "week": "day",
    "millisecond": "second",
    "microsecond": "second",
    "y": "year",
    "mon": "month",
    "d": "day",
    "h": "hour",
    "m": "minute",
    "s": "second",
}


def literal_type(node: exp.Literal, sign: int = 1) -> SparkType | None:
    """Return the type of a string or a number as it is written, with the `sign` before it."""
    if node.is_string:
        return STRING
    text = node.name.lower()
    if "e" in text:
        return DOUBLE
    whole, point, fraction = text.partition(".")
    if not (whole + fraction).isdigit():
        return None
    if point:
        return _decimal(whole + fraction, len(fraction))
    value = sign * int(whole)
    if -_INT_END <= value < _INT_END:
        return INT
    return BIGINT if -_BIGINT_END <= value < _BIGINT_END else _decimal(whole, 0)


def _decimal(digits: str, scale: int) -> DecimalType | None:
    precision = max(len(digits.lstrip("0")), scale, 1)
    return DecimalType(precision, scale) if precision <= MAX_PRECISION else None


def integer_digits(node: exp.Expr) -> int | None:
    """Return the digits of an integer constant, which is what it takes beside a decimal; None: it is none."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Neg):
        node = node.this
    is_integer = isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()
    return max(len(node.name.lstrip("0")), 1) if is_integer else None


def has_suffix(node: exp.Expr) -> bool | None:
    """Return whether a number is written with a letter, as in `10L`; None: its place in the text is not known.

    The tree of `10L` is that of `cast(10 as bigint)`, but its number takes one letter more.
    """
    start, end = node.meta.get("start"), node.meta.get("end")
    return None if start is None or end is None else end - start == len(node.name)


def constant_integer(node: exp.Expr | None) -> int | None:
    """Return the value of an integer constant; None: it is none."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Neg):
        value = constant_integer(node.this)
        return None if value is None else -value
    is_integer = isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()
    return int(node.name) if is_integer and node is not None else None


def constant_text(node: exp.Expr | None) -> str | None:
    """Return the value of a string constant; None: it is none."""
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


def interval_type(unit: exp.Expr | None) -> SparkType | None:
    """Return the type of an interval written in `unit`."""
    if isinstance(unit, exp.IntervalSpan):
        return interval_of(_unit(unit.this), _unit(unit.expression))
    if unit is None:
        return None
    name = _unit(unit)
    return interval_of(name, name)


def _unit(node: exp.Expr) -> str:
    name = node.name.lower()
    name = name[:-1] if name.endswith("s") and len(name) > 1 else name
    return _UNITS.get(name, name)


def named_type(node: exp.Expr | None) -> SparkType | None:
    """Return the type that a cast or a declaration names."""
    if not isinstance(node, exp.DataType):
        return None
    kind = node.this
    if isinstance(kind, exp.Interval):
        found = interval_type(kind.args.get("unit"))
        return found if isinstance(found, IntervalType) else None
    if kind == exp.DType.INTERVAL:
        return CALENDAR_INTERVAL
    if node.args.get("collate") is not None:
        return AtomicType(f"string collate {node.args['collate'].name.upper()}")
    if kind in _TYPES:
        return _TYPES[kind]
    return _named_with_parameters(node, kind)


def _named_with_parameters(node: exp.DataType, kind: object) -> SparkType | None:
    parameters = node.expressions
    if kind == exp.DType.DECIMAL:
        numbers = [int(parameter.name) for parameter in parameters if parameter.name.isdigit()]
        precision, scale = (*numbers, 0)[:2] if numbers else (10, 0)
        return DecimalType(precision, scale) if precision <= MAX_PRECISION else None
    if kind == exp.DType.TIME:
        return AtomicType(f"time({parameters[0].name if parameters else 6})")
    if kind == exp.DType.ARRAY and len(parameters) == 1:
        return array_of(named_type(parameters[0]))
    if kind == exp.DType.MAP and len(parameters) == 2:
        return map_of(named_type(parameters[0]), named_type(parameters[1]))
    if kind == exp.DType.STRUCT and all(isinstance(entry, exp.ColumnDef) for entry in parameters):
        return struct_of(*[(entry.name, named_type(entry.args.get("kind"))) for entry in parameters])
    return None
