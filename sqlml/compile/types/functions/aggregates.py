"""Aggregate and window functions: what they aggregate in, the type of the result out."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.types.coercion import bounded
from sqlml.compile.types.functions.call import Call, Rule, named, same_as_first
from sqlml.compile.types.spark_types import (
    BIGINT,
    DOUBLE,
    FLOAT,
    STRING,
    VOID,
    ArrayType,
    DecimalType,
    IntervalType,
    SparkType,
    array_of,
    is_integer,
    is_number,
    struct_of,
)

_SUM_DIGITS = 10
_AVERAGE_DIGITS = 4


def _sum(call: Call) -> SparkType | None:
    found = call.type(0)
    if is_integer(found):
        return BIGINT
    if isinstance(found, DecimalType):
        return bounded(found.precision + _SUM_DIGITS, found.scale)
    if isinstance(found, IntervalType):
        return found
    return DOUBLE if found in (FLOAT, DOUBLE, STRING, VOID) else None


def _average(call: Call) -> SparkType | None:
    found = call.type(0)
    if isinstance(found, DecimalType):
        return bounded(found.precision + _AVERAGE_DIGITS, found.scale + _AVERAGE_DIGITS)
    return _middle(found)


def _middle(found: SparkType | None) -> SparkType | None:
    if isinstance(found, IntervalType):
        return found.whole
    return DOUBLE if is_number(found) or found in (STRING, VOID) else None


def _median(call: Call) -> SparkType | None:
    return _middle(call.type(0))


def _percentile(call: Call) -> SparkType | None:
    return _for_each(call, call.slot("quantile"), _middle(call.type(0)))


def _approximate_percentile(call: Call) -> SparkType | None:
    found = call.type(0)
    return _for_each(call, call.slot("quantile"), DOUBLE if found in (STRING, VOID) else found)


def _for_each(call: Call, share: exp.Expr | None, result: SparkType | None) -> SparkType | None:
    """Return the type for one share, or for an array of them."""
    given = call.types.type_of(share)
    if given is None:
        return None
    return array_of(result) if isinstance(given, ArrayType) else result


def within_group(call: Call) -> SparkType | None:
    """Return the type of a function of the column that `WITHIN GROUP (ORDER BY …)` names."""
    function, order = call.arg(0), call.arg(1)
    ordered = order.expressions[0] if isinstance(order, exp.Order) and order.expressions else None
    found = call.types.type_of(ordered.this if isinstance(ordered, exp.Ordered) else ordered)
    if isinstance(function, exp.PercentileCont | exp.PercentileDisc):
        return _for_each(call, function.this, _middle(found))
    if isinstance(function, exp.Mode):
        return found
    return call.types.type_of(function)


def _list(call: Call) -> SparkType | None:
    return array_of(call.type(0))


def _best(call: Call) -> SparkType | None:
    return call.type(0) if call.slot("count") is None else array_of(call.type(0))


def _histogram(call: Call) -> SparkType | None:
    return array_of(struct_of(("x", call.type(0)), ("y", DOUBLE)))


def _top(call: Call) -> SparkType | None:
    return array_of(struct_of(("item", call.type(0)), ("count", BIGINT)))


RULES: dict[str, Rule] = {
    **named(_sum, "sum try_sum"),
    **named(_average, "avg mean try_avg"),
    **named(_median, "median"),
    **named(_percentile, "quantile"),
    **named(_approximate_percentile, "approxquantile"),
    **named(within_group, "withingroup"),
    **named(_list, "arrayagg arrayuniqueagg"),
    **named(_best, "argmax argmin"),
    **named(_histogram, "histogram_numeric"),
    **named(_top, "approxtopk"),
    **named(
        same_as_first,
        """
        anyvalue bitwiseandagg bitwiseoragg bitwisexoragg collect_union first firstvalue lag last lastvalue lead max min
        mode nthvalue
        """,
    ),
}
