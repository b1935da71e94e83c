"""Higher-order functions: an array or map and a lambda in, the type of what they make out."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.types.functions.call import Call, Rule, named, same_as_first
from sqlml.compile.types.spark_types import INT, SparkType, array_of, map_of


def _transformed(call: Call) -> SparkType | None:
    return array_of(call.types.lambda_type(call.arg(1), [call.element(), INT]))


def _zipped_with(call: Call) -> SparkType | None:
    return array_of(call.types.lambda_type(call.arg(2), [call.element(0), call.element(1)]))


def _new_keys(call: Call) -> SparkType | None:
    found = call.map()
    return found and map_of(call.types.lambda_type(call.arg(1), [found.key, found.value]), found.value)


def _new_values(call: Call) -> SparkType | None:
    found = call.map()
    return found and map_of(found.key, call.types.lambda_type(call.arg(1), [found.key, found.value]))


def _zipped_maps(call: Call) -> SparkType | None:
    left, right = call.map(0), call.map(1)
    if left is None or right is None or left.key != right.key:
        return None
    return map_of(left.key, call.types.lambda_type(call.arg(2), [left.key, left.value, right.value]))


def _reduced(call: Call) -> SparkType | None:
    start, merge, finish = call.type(1), call.arg(2), call.arg(3)
    merged = call.types.lambda_type(merge, [start, call.element()])
    # Spark refuses a merge of another type than the start, or widens the start: both are not ours to guess.
    if start is None or merged != start:
        return None
    return call.types.lambda_type(finish, [start]) if isinstance(finish, exp.Lambda) else start


RULES: dict[str, Rule] = {
    **named(same_as_first, "arrayfilter map_filter"),
    **named(_transformed, "transform"),
    **named(_zipped_with, "zip_with"),
    **named(_new_keys, "transform_keys"),
    **named(_new_values, "transform_values"),
    **named(_zipped_maps, "map_zip_with"),
    **named(_reduced, "reduce aggregate"),
}
