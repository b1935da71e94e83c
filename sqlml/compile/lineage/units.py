"""Units that timestamps are cut off to, and how they compare."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

UNITS: Mapping[str, int] = MappingProxyType(
    {
        "": 0, "microsecond": 0, "millisecond": 0, "second": 1, "minute": 60, "hour": 3600, "day": 86_400,
        "week": 604_800, "month": 2_678_400, "quarter": 7_948_800, "year": 31_622_400,
    }
)  # fmt: skip
"""The longest that each unit can be."""


def unit_s(unit: str) -> int:
    """Return the seconds of a unit, as `cut_unit` calls it; 0 of none."""
    return UNITS.get(unit, 0)


def coarser(one: str, other: str) -> str:
    """Return the longer of two units."""
    return max(one, other, key=unit_s)


def is_whole(unit: str, of: str) -> bool:
    """Return whether what is cut off to `of` is always at the start of a `unit`: a month of days, and no week."""
    if not unit or not of:
        return not unit
    if "week" in (unit, of):
        return unit == of or (of == "week" and unit_s(unit) <= UNITS["day"])
    return unit_s(unit) <= unit_s(of)
