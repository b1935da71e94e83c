"""Arithmetic, rounding and bits: the types of numbers in, the type of the result out."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.types.coercion import as_decimal, bounded, decimal_result, rounded, wider, wider_interval
from sqlml.compile.types.functions.call import Call, Rule, named
from sqlml.compile.types.literals import constant_integer, constant_text, has_suffix, integer_digits
from sqlml.compile.types.spark_types import (
    BIGINT,
    CALENDAR_INTERVAL,
    DATE,
    DATETIMES,
    DAY_TO_SECOND,
    DOUBLE,
    FLOAT,
    FRACTIONS,
    INT,
    SMALLINT,
    STRING,
    TIMESTAMP,
    TINYINT,
    VOID,
    DecimalType,
    IntervalType,
    SparkType,
    is_integer,
    is_number,
)

_DAY = 2


def arithmetic(operation: str) -> Rule:
    """Return the rule of `add`, `sub`, `mul`, `div` or `mod` of two arguments."""

    def rule(call: Call) -> SparkType | None:
        left, right = call.type(0), call.type(1)
        if left is None or right is None:
            return None
        if _is_time(left) or _is_time(right):
            return _time_arithmetic(operation, left, right)
        if VOID in (left, right):
            return _beside_null(operation, left, right)
        left, right = _as_numbers(left, right)
        if not is_number(left) or not is_number(right):
            return None
        if isinstance(left, DecimalType) or isinstance(right, DecimalType):
            return _decimal_arithmetic(operation, call, left, right)
        return DOUBLE if operation == "div" else wider(left, right)

    return rule


def _is_time(given: SparkType) -> bool:
    return isinstance(given, IntervalType) or given in (*DATETIMES, CALENDAR_INTERVAL)


def _beside_null(operation: str, left: SparkType, right: SparkType) -> SparkType | None:
    other = right if left == VOID else left
    if isinstance(other, DecimalType):
        # Spark's `/` and `try_divide` differ here.
        return None if operation == "div" else decimal_result(operation, other, other)
    if other == VOID or (operation == "div" and is_number(other)):
        return DOUBLE
    return other if is_number(other) else None


def _as_numbers(left: SparkType, right: SparkType) -> tuple[SparkType, SparkType]:
    if left == STRING and is_number(right):
        left = BIGINT if is_integer(right) else DOUBLE
    elif right == STRING and is_number(left):
        right = BIGINT if is_integer(left) else DOUBLE
    return left, right


def _decimal_arithmetic(operation: str, call: Call, left: SparkType, right: SparkType) -> SparkType | None:
    if left in FRACTIONS or right in FRACTIONS:
        return DOUBLE
    first, second = _decimal_operand(call.arg(0), left), _decimal_operand(call.arg(1), right)
    return None if first is None or second is None else decimal_result(operation, first, second)


def _decimal_operand(node: exp.Expr | None, given: SparkType) -> DecimalType | None:
    """Return the decimal that a number is beside a decimal: a constant takes its own digits, a column its type's."""
    if isinstance(given, DecimalType) or node is None:
        return as_decimal(given)
    node = node.unnest()
    digits = integer_digits(node)
    if digits is not None and given != TINYINT:
        return DecimalType(digits, 0)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and given in (SMALLINT, BIGINT):
        is_constant, digits = has_suffix(node.this), integer_digits(node.this)
        if is_constant is None or digits is None:
            return None
        return DecimalType(digits, 0) if is_constant else as_decimal(given)
    return as_decimal(given)


def _time_arithmetic(operation: str, left: SparkType, right: SparkType) -> SparkType | None:
    if operation in ("mul", "div"):
        return _scaled_interval(operation, left, right)
    if operation not in ("add", "sub"):
        return None
    if left in DATETIMES and right in (DATE, TIMESTAMP, STRING, *DATETIMES):
        return _time_between(left, right) if operation == "sub" else None
    if isinstance(left, IntervalType) and isinstance(right, IntervalType):
        return wider_interval(left, right)
    if left not in DATETIMES and operation == "add":
        left, right = right, left
    return _moved_time(left, right)


def _scaled_interval(operation: str, left: SparkType, right: SparkType) -> SparkType | None:
    if operation == "mul" and isinstance(right, IntervalType):
        left, right = right, left
    return left.whole if isinstance(left, IntervalType) and (is_number(right) or right == STRING) else None


def _time_between(left: SparkType, right: SparkType) -> SparkType | None:
    if left == DATE and right in (DATE, STRING):
        return IntervalType(_DAY, _DAY)
    return DAY_TO_SECOND if right in DATETIMES else None


def _moved_time(time: SparkType, by: SparkType) -> SparkType | None:
    if time not in DATETIMES:
        return None
    if time == DATE and by in (INT, SMALLINT, TINYINT):
        return DATE
    if by == CALENDAR_INTERVAL:
        return time
    if not isinstance(by, IntervalType):
        return None
    is_whole_days = by.is_months or (by.start, by.end) == (_DAY, _DAY)
    return TIMESTAMP if time == DATE and not is_whole_days else time


def _negated(call: Call) -> SparkType | None:
    found = call.type(0)
    if found in (STRING, VOID):
        return DOUBLE
    return found if is_number(found) or isinstance(found, IntervalType) or found == CALENDAR_INTERVAL else None


def _int_div(call: Call) -> SparkType | None:
    return None if None in (call.type(0), call.type(1)) else BIGINT


def _bits(call: Call) -> SparkType | None:
    found = wider(call.type(0), call.type(1))
    return found if is_integer(found) else None


def _inverted_bits(call: Call) -> SparkType | None:
    found = call.type(0)
    return INT if found == VOID else found if is_integer(found) else None


def _shifted(call: Call) -> SparkType | None:
    found = call.type(0)
    return BIGINT if found == BIGINT else INT if is_integer(found) else None


def _rounded(call: Call) -> SparkType | None:
    found = call.type(0)
    digits = constant_integer(call.arg(1)) if call.arg(1) is not None else 0
    if found in (STRING, VOID):
        return DOUBLE
    if not isinstance(found, DecimalType):
        return found if is_number(found) else None
    return None if digits is None else rounded(found, digits)


def _ceil_or_floor(call: Call) -> SparkType | None:
    found = call.type(0)
    scale = call.slot("decimals") or (call.arg(1) if isinstance(call.node, exp.Anonymous) else None)
    if scale is not None:
        return _rounded_up(found, constant_integer(scale))
    if isinstance(found, DecimalType):
        return found if found.scale == 0 else bounded(found.precision - found.scale + 1, 0)
    return BIGINT if is_number(found) or found in (STRING, VOID) else None


def _rounded_up(found: SparkType | None, digits: int | None) -> SparkType | None:
    # With a scale they take a decimal, which other numbers become first.
    given = DecimalType(30, 15) if found == DOUBLE else DecimalType(14, 7) if found == FLOAT else as_decimal(found)
    return None if given is None or digits is None else rounded(given, digits)


def _nanvl(call: Call) -> SparkType | None:
    left, right = call.type(0), call.type(1)
    if left is None or right is None:
        return None
    if VOID in (left, right):
        return left if right == VOID and left in FRACTIONS else None
    return FLOAT if left == right == FLOAT else DOUBLE


def _to_number(call: Call) -> SparkType | None:
    text = constant_text(call.arg(1))
    if text is None:
        return None
    whole, _, fraction = text.upper().replace("D", ".").partition(".")
    digits = [sum(char in "09" for char in part) for part in (whole, fraction)]
    return DecimalType(sum(digits), digits[1]) if 0 < sum(digits) <= 38 else None


def _uniform(call: Call) -> SparkType | None:
    found = wider(call.type(0), call.type(1))
    return found if is_number(found) and not isinstance(found, DecimalType) else None


RULES: dict[str, Rule] = {
    **named(arithmetic("add"), "add safeadd try_add"),
    **named(arithmetic("sub"), "sub safesubtract try_subtract"),
    **named(arithmetic("mul"), "mul safemultiply try_multiply"),
    **named(arithmetic("div"), "div safedivide try_divide"),
    **named(arithmetic("mod"), "mod pmod try_mod"),
    **named(_negated, "neg negative positive abs"),
    **named(_int_div, "intdiv"),
    **named(_bits, "bitwiseand bitwiseor bitwisexor"),
    **named(_inverted_bits, "bitwisenot"),
    **named(_shifted, "bitwiseleftshift bitwiserightshift shiftrightunsigned"),
    **named(_rounded, "round bround"),
    **named(_ceil_or_floor, "ceil floor"),
    **named(_nanvl, "nanvl"),
    **named(_to_number, "tonumber try_to_number"),
    **named(_uniform, "uniform"),
}
