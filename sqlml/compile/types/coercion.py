"""Spark's common types under ANSI rules, and the arithmetic of decimals: types in, the type that holds them out.

The rules are those of Spark's `AnsiTypeCoercion` and `DecimalPrecision`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlml.compile.types.spark_types import (
    BIGINT,
    DATETIMES,
    DOUBLE,
    FRACTIONS,
    INTEGER_DIGITS,
    INTEGERS,
    MAX_PRECISION,
    STRING,
    VOID,
    ArrayType,
    AtomicType,
    DecimalType,
    IntervalType,
    MapType,
    SparkType,
    StructType,
    array_of,
    is_integer,
    is_number,
    map_of,
    struct_of,
)

# The fewest digits after the point that a result too long for a decimal keeps.
_MINIMUM_SCALE = 6


def adjusted(precision: int, scale: int) -> DecimalType:
    """Return a decimal of arithmetic: what is too long loses digits after the point first."""
    if precision <= MAX_PRECISION:
        return DecimalType(precision, scale)
    whole = precision - scale
    return DecimalType(MAX_PRECISION, max(MAX_PRECISION - whole, min(scale, _MINIMUM_SCALE)))


def bounded(precision: int, scale: int) -> DecimalType:
    """Return a decimal that is cut at the longest."""
    return DecimalType(min(precision, MAX_PRECISION), min(scale, MAX_PRECISION))


def as_decimal(given: SparkType | None) -> DecimalType | None:
    """Return the decimal that holds a number; None if none does."""
    if isinstance(given, DecimalType):
        return given
    return DecimalType(INTEGER_DIGITS[given], 0) if isinstance(given, AtomicType) and is_integer(given) else None


def common_type(types: Iterable[SparkType | None]) -> SparkType | None:
    """Return the type that holds all of `types`, taken in their order; None if one is unknown or there is none."""
    found: SparkType | None = VOID
    for given in types:
        found = wider(found, given)
        if found is None:
            return None
    return found


def wider(left: SparkType | None, right: SparkType | None) -> SparkType | None:
    """Return the type that holds both; None if one is unknown or there is none."""
    if left is None or right is None:
        return None
    if right in (left, VOID):
        return left
    if left == VOID:
        return right
    if STRING in (left, right):
        return _beside_string(right if left == STRING else left)
    if is_number(left) and is_number(right):
        return _wider_number(left, right)
    if left in DATETIMES and right in DATETIMES:
        return max(left, right, key=DATETIMES.index)
    if isinstance(left, IntervalType) and isinstance(right, IntervalType):
        return wider_interval(left, right)
    return _wider_nested(left, right)


def wider_interval(left: IntervalType, right: IntervalType) -> IntervalType | None:
    """Return the interval that has the units of both; None if one counts months and the other does not."""
    if left.is_months != right.is_months:
        return None
    return IntervalType(min(left.start, right.start), max(left.end, right.end))


def _beside_string(other: SparkType) -> SparkType | None:
    if is_integer(other):
        return BIGINT
    if is_number(other):
        return DOUBLE
    is_plain = isinstance(other, AtomicType) and not other.name.startswith(("interval", "string", "variant"))
    return other if is_plain else None


def _wider_number(left: SparkType, right: SparkType) -> SparkType | None:
    if left in FRACTIONS or right in FRACTIONS:
        # Also for a float beside an integer, which a float could not hold.
        return DOUBLE
    if isinstance(left, AtomicType) and isinstance(right, AtomicType):
        return max(left, right, key=INTEGERS.index)
    first, second = as_decimal(left), as_decimal(right)
    return None if first is None or second is None else wider_decimal(first, second)


def wider_decimal(left: DecimalType, right: DecimalType) -> DecimalType:
    """Return the decimal that holds both; too long, it keeps the digits before the point."""
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale)
    if whole + scale <= MAX_PRECISION:
        return DecimalType(whole + scale, scale)
    return DecimalType(MAX_PRECISION, max(0, MAX_PRECISION - whole))


def _wider_nested(left: SparkType, right: SparkType) -> SparkType | None:
    if isinstance(left, ArrayType) and isinstance(right, ArrayType):
        return array_of(wider(left.element, right.element))
    if isinstance(left, MapType) and isinstance(right, MapType):
        return map_of(wider(left.key, right.key), wider(left.value, right.value))
    if isinstance(left, StructType) and isinstance(right, StructType):
        pairs = tuple(zip(left.fields, right.fields, strict=False))
        is_alike = len(left.fields) == len(right.fields) and all(a.name.lower() == b.name.lower() for a, b in pairs)
        return struct_of(*[(a.name, wider(a.type, b.type)) for a, b in pairs]) if is_alike else None
    return None


def decimal_result(operation: str, left: DecimalType, right: DecimalType) -> DecimalType:
    """Return the type of `add`, `sub`, `mul`, `div` or `mod` of two decimals."""
    (p1, s1), (p2, s2) = (left.precision, left.scale), (right.precision, right.scale)
    scale = max(s1, s2)
    if operation in ("add", "sub"):
        return adjusted(max(p1 - s1, p2 - s2) + scale + 1, scale)
    if operation == "mul":
        return adjusted(p1 + p2 + 1, s1 + s2)
    if operation == "div":
        scale = max(_MINIMUM_SCALE, s1 + p2 + 1)
        return adjusted(p1 - s1 + s2 + scale, scale)
    return adjusted(min(p1 - s1, p2 - s2) + scale, scale)


def rounded(given: DecimalType, digits: int) -> DecimalType:
    """Return the type of a decimal rounded to `digits` after the point, or before it if negative."""
    whole = given.precision - given.scale + 1
    if digits < 0:
        return bounded(max(whole, 1 - digits), 0)
    scale = min(digits, given.scale)
    return bounded(whole + scale, scale)
