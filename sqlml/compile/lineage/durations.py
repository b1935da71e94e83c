"""Lengths of time in SQL: an interval or a unit in, seconds out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.lineage.units import UNITS, unit_s

_SHORT: Mapping[str, str] = MappingProxyType(
    {"mm": "month", "mon": "month", "yy": "year", "yyyy": "year", "dd": "day", "ddd": "day"}
)
_PAIR = re.compile(r"([+-]?)\s*(\d+)\s*([a-z]+)")


def cut_unit(node: exp.Expr | None) -> str | None:
    """Return the unit that `date_trunc` or `trunc` names; None: it is none."""
    if node is None:
        return None
    name = node.name.lower()
    name = _SHORT.get(name, name)
    return name if UNITS.get(name) else None


def amount_s(node: exp.Expr, unit: str) -> int | None:
    """Return the seconds that are added by `node`: an interval, or a number of `unit`; None: nobody can tell.

    Months and longer are taken to be as long as they can be.
    """
    sign = 1
    while isinstance(node, exp.Neg | exp.Paren | exp.Mul):
        if isinstance(node, exp.Neg):
            sign = -sign
        elif isinstance(node, exp.Mul):
            factor = amount_s(node.expression, "second")
            if factor not in (1, -1):
                return None
            sign *= factor
        node = node.this
    if isinstance(node, exp.Interval):
        found = _interval_s(node)
        return None if found is None else sign * found
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return sign * int(node.name) * unit_s(_singular(unit))
    return None


def _interval_s(node: exp.Interval) -> int | None:
    value, unit = node.this, node.args.get("unit")
    if not isinstance(value, exp.Literal):
        return None
    text = f"{value.name} {unit.name}" if unit is not None else value.name
    pairs = _PAIR.findall(text.lower())
    if not pairs or _PAIR.sub("", text.lower()).strip() or any(_singular(unit) not in UNITS for *_, unit in pairs):
        return None
    seconds = [(-1 if sign == "-" else 1) * int(number) * unit_s(_singular(unit)) for sign, number, unit in pairs]
    # Of parts with different signs nobody can tell, since a month is not always as long.
    is_mixed = min(seconds) < 0 < max(seconds)
    return None if is_mixed else sum(seconds)


def _singular(unit: str) -> str:
    name = unit.lower()
    return name.removesuffix("s") if name != "s" else "second"
