"""One value against one param of Spark ML: what Spark would refuse at the fit, said before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlml.errors import suggest
from sqlml.ir.spark_params import Limits, SparkParam

_BITS = {"int": 31, "long": 63}

Fault = tuple[str, str | None]
"""What is wrong, and the fix."""


def find_fault(param: SparkParam, value: Any) -> Fault | None:
    """Return what is wrong with `value` for `param`; None if Spark takes it."""
    title = f"param '{param.name}'"
    if param.limits.values:
        is_taken = isinstance(value, str) and _keeps(value, param.limits)
        return None if is_taken else _not_a_value(title, value, param.limits)
    if not _fits_type(value, param.type) or (_fits_bits(value, param.type) and not _keeps(value, param.limits)):
        return f"{title} takes {describe_param(param)}, not {_shown(value)}", _default_of(param)
    if not _fits_bits(value, param.type):
        bits = _BITS[param.type.removeprefix("list of ")]
        return f"{title} takes a whole number of {bits + 1} bits, not {_shown(value)}", f"the greatest is {2**bits - 1}"
    return None


def describe_param(param: SparkParam) -> str:
    """Return what a param takes, in words: `a whole number from 0 to 30`."""
    limits = param.limits
    if limits.values:
        rule = f", or {RULES[limits.rule][1]}" if limits.rule else ""
        return f"one of {', '.join(limits.values)}{rule}"
    if not param.type.startswith("list of "):
        words = f"{_WORDS[param.type]}{_range(limits)}"
        return f"{words} {RULES[limits.rule][1]}" if limits.rule else words
    words = f"{_WORDS[param.type]}{_range(limits.each) if limits.each is not None else ''}"
    if limits.each is not None and limits.each.rule:
        words += f", each of {limits.each.min_items} or more {RULES[limits.each.rule][1]}"
    if limits.min_items:
        words += f", {limits.min_items} or more"
    return f"{words}, {RULES[limits.rule][1]}" if limits.rule else words


def _default_of(param: SparkParam) -> str:
    if param.default is None:
        return "give it such a value, or leave it out"
    return f"give it such a value, or leave it out for Spark's {_shown(param.default)}"


def _not_a_value(title: str, value: Any, limits: Limits) -> Fault:
    rule = f", or {RULES[limits.rule][1]}" if limits.rule else ""
    label = "it is one of" if len(limits.values) > 1 else "it is"
    return f"{title} cannot be {_shown(value)}", f"{suggest(str(value), limits.values, label)}{rule}"


def _range(limits: Limits) -> str:
    low, high = limits.at_least, limits.at_most
    if low is not None and high is not None:
        words = f" from {low} to {high}"
    elif low is not None and limits.below is not None:
        words = f" from {low} to less than {limits.below}"
    elif low is not None:
        words = f" of {low} or more"
    else:
        ends = (("above", limits.above), ("at most", high), ("below", limits.below))
        words = " and".join(f" {word} {end}" for word, end in ends if end is not None)
    return f"{words}, or {', '.join(str(number) for number in limits.also)}" if limits.also else words


def _keeps(value: Any, limits: Limits) -> bool:
    """Tell whether a value of the right type keeps its limits; NaN keeps no bound, as in Spark."""
    if limits.values and not _is_listed(value, limits):
        return bool(limits.rule) and RULES[limits.rule][0](value)
    if isinstance(value, list | tuple):
        has_items = len(value) >= limits.min_items
        keep = limits.each is None or all(_keeps(item, limits.each) for item in value)
        return has_items and keep and (not limits.rule or RULES[limits.rule][0](value))
    if limits.values:
        return True
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value in limits.also or _is_within(value, limits)
    return not limits.rule or RULES[limits.rule][0](value)


def _is_listed(value: Any, limits: Limits) -> bool:
    if limits.ignore_case:
        return str(value).lower() in {text.lower() for text in limits.values}
    return value in limits.values


def _is_within(value: float, limits: Limits) -> bool:
    return (
        (limits.at_least is None or value >= limits.at_least)
        and (limits.above is None or value > limits.above)
        and (limits.at_most is None or value <= limits.at_most)
        and (limits.below is None or value < limits.below)
    )


def _is_increasing(values: Sequence[float]) -> bool:
    return all(low < high for low, high in pairwise(values))


def _is_count_or_share(value: str) -> bool:
    if re.fullmatch(r"[+]?\d+", value):
        return 0 < int(value) < 2**31
    return re.fullmatch(r"[+]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) is not None and 0 < float(value) <= 1


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "increasing": (_is_increasing, "in increasing order"),
    "at_most_one_zero": (lambda values: sum(value == 0 for value in values) <= 1, "at most one of them 0"),
    "distinct": (lambda values: len(set(values)) == len(values), "all different"),
    "distinct_names": (lambda values: len(set(values)) == len(values) and all(values), "all different and not empty"),
    "count_or_share": (_is_count_or_share, 'a count ("12") or a share up to 1 ("0.5") in quotes'),
    # Which ones there are depends on the Java.
    "locale": (lambda value: re.fullmatch(r"[a-z]{2,3}([_#-]+[\w-]+)*", value) is not None, "such as en_US"),
}
"""Name of a rule to its check and its words."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(fits(entry) for entry in value)


def _is_by_slot(value: Any) -> bool:
    numbers = _is_list_of(_is_number)
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and (_is_number(bound) or (numbers(bound) and bound)) for key, bound in value.items()
    )


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "int": _is_whole,
    "long": _is_whole,
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list | tuple),
    "list of int": _is_list_of(_is_whole),
    "list of float": _is_list_of(_is_number),
    "list of string": _is_list_of(lambda value: isinstance(value, str)),
    "list of list of float": _is_list_of(_is_list_of(_is_number)),
    "vector": _is_list_of(_is_number),
    "matrix": _is_by_slot,
    "any": lambda value: True,
}
_WORDS = {
    "int": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "boolean": "true or false",
    "string": "text",
    "list": "a list",
    "list of int": "a list of whole numbers",
    "list of float": "a list of numbers",
    "list of string": "a list of texts",
    "list of list of float": "a list of lists of numbers",
    "vector": "a list of numbers",
    "matrix": "a number for each slot or feature, or a list of one for each class, as in {x: 0}",
    "any": "any value",
}


def _fits_type(value: Any, kind: str) -> bool:
    try:
        return _FITS[kind](value)
    except OverflowError:  # an infinite number is no whole one
        return False


def _fits_bits(value: Any, kind: str) -> bool:
    """Tell whether whole numbers are such that Java holds them."""
    bits = _BITS.get(kind.removeprefix("list of "))
    numbers = value if isinstance(value, list | tuple) else [value]
    return bits is None or all(-(2**bits) <= number < 2**bits for number in numbers)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else repr(value)
