"""What a timestamp cannot be earlier or later than: an expression in, the columns that bound it on either side out.

Before: `greatest(a.landed, b.landed)`           After: no earlier than a.landed and b.landed
Before: `date_trunc('day', dep) - interval 1 day`  After: no later than dep, less a day; a whole day
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from sqlml.compile.lineage.dependencies import Time
from sqlml.compile.lineage.durations import amount_s, cut_unit
from sqlml.compile.lineage.rows import RowNames, Shift
from sqlml.compile.lineage.units import coarser, is_whole, unit_s

Nodes = frozenset[Time]
_NONE: Nodes = frozenset()


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of a timestamp.

    Attributes:
        floors: it is no earlier than these (less their slack).
        ceilings: it is no later than these, which it is earlier than by at least `gap_s` seconds.
        unit: what it is cut off to.
        branches: of a column of a set operation: the same for each of its sides.
        is_endless: a literal later than every time there is.
        is_present: it is never null.
        text: of a branch: as it was written.
    """

    floors: Nodes = _NONE
    ceilings: Nodes = _NONE
    gap_s: int = 0
    unit: str = ""
    branches: tuple[Times, ...] = ()
    is_endless: bool = False
    is_present: bool = False
    text: str = ""

    def moved(self, names: RowNames, shift: Shift) -> Times:
        """Return the same of another row."""
        return replace(
            self,
            floors=shift_times(self.floors, names, shift),
            ceilings=shift_times(self.ceilings, names, shift),
            branches=tuple([branch.moved(names, shift) for branch in self.branches]),
        )

    def also(self, times: Iterable[Time]) -> Times:
        """Return the same, equal to `times` too."""
        return replace(self, floors=self.floors | set(times), ceilings=self.ceilings | set(times))


NOTHING = Times()


def shift_times(times: Nodes, names: RowNames, shift: Shift) -> Nodes:
    """Return `times` of the rows that `shift` leads to."""
    return frozenset([time._replace(row=names.shifted(time.row, shift)) if time.row else time for time in times])


def one_of(parts: Iterable[Times]) -> Times:
    """Return what is known of a value that is one of several."""
    parts = list(parts)
    known = [part for part in parts if not part.is_endless]
    if not known:
        return NOTHING
    is_open = len(known) < len(parts)
    floors = _all_floors(known)
    ceilings = _NONE if is_open else frozenset.intersection(*[part.ceilings for part in known])
    units = {part.unit for part in known}
    unit = units.pop() if len(units) == 1 and not is_open else ""
    return Times(floors, ceilings, min(part.gap_s for part in known), unit)


def _all_floors(parts: list[Times]) -> Nodes:
    """Return what all of several are no earlier than."""
    floors = {time[:3]: time for time in parts[0].floors}
    for part in parts[1:]:
        others = {time[:3]: time for time in part.floors}
        floors = {
            key: Time(*key, coarser(time.slack, others[key].slack), min(time.gain_s, others[key].gain_s))
            for key, time in floors.items()
            if key in others
        }
    return frozenset(floors.values())


def either_side(parts: list[Times]) -> Times:
    """Return what is known of a column of a set operation: rows of each side have names of their own."""
    floors = frozenset().union(*[part.floors for part in parts])
    ceilings = frozenset().union(*[part.ceilings for part in parts])
    units = {part.unit for part in parts}
    branches = tuple([leaf for part in parts for leaf in part.branches or (part,)])
    is_present = all(part.is_present for part in parts)
    return Times(floors, ceilings, 0, units.pop() if len(units) == 1 else "", branches, is_present=is_present)


def latest(parts: list[Times]) -> Times:
    """Return what is known of the latest of several; it skips those that are null."""
    floors = frozenset().union(*[part.floors for part in parts if part.is_present])
    is_present = any(part.is_present for part in parts)
    return Times(floors, frozenset.intersection(*[part.ceilings for part in parts]), is_present=is_present)


def earliest(parts: list[Times]) -> Times:
    """Return what is known of the earliest of several."""
    ceilings = frozenset().union(*[part.ceilings for part in parts])
    is_present = any(part.is_present for part in parts)
    return Times(_all_floors(parts), ceilings, is_present=is_present)


def cut(times: Times, unit: str) -> Times:
    """Return what is known of `times` cut off to `unit`, such as `day`; a fraction of a second is no unit."""
    if is_whole(unit, times.unit) and times.unit:
        return times
    floors = frozenset([time._replace(slack=coarser(time.slack, unit)) for time in times.floors])
    return replace(times, floors=floors, unit=unit, branches=tuple([cut(branch, unit) for branch in times.branches]))


def moved_by(times: Times, seconds: int) -> Times:
    """Return what is known of `times` moved by so many seconds (to the past if negative)."""
    if seconds == 0:
        return times
    if seconds < 0:
        return Times(ceilings=times.ceilings, gap_s=times.gap_s - seconds, is_present=times.is_present)
    # A day that is over is no earlier than what happened in it.
    floors = frozenset([_gaining(time, seconds) for time in times.floors])
    return Times(floors, is_present=times.is_present)


def _gaining(time: Time, seconds: int) -> Time:
    gain_s = time.gain_s + seconds
    if time.slack and unit_s(time.slack) <= gain_s:
        return time._replace(slack="", gain_s=gain_s - unit_s(time.slack))
    return time._replace(gain_s=gain_s)


Read = Callable[[exp.Expr], Times]


def read_operation(node: exp.Expr, read: Read) -> Times | None:
    """Return what is known of the result of a function or an operator; None: it is none of those understood.

    Args:
        read: does the same for the arguments.
    """
    rule = _RULES.get(type(node))
    return None if rule is None else rule(node, read)


def _same(node: Any, read: Read) -> Times:
    return read(node.this)


def _cast(node: Any, read: Read) -> Times:
    if isinstance(node.this, exp.Literal) and node.this.is_string:
        return read_literal(node.this.name)
    kind = node.to.this
    if kind in (exp.DType.DATE, exp.DType.DATE32):
        return cut(read(node.this), "day")
    if kind in _LOSSLESS:
        return read(node.this)
    return NOTHING


_LOSSLESS = frozenset(
    {
        exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ, exp.DType.TIMESTAMPNTZ, exp.DType.DATETIME,
        exp.DType.BIGINT, exp.DType.DOUBLE, exp.DType.DECIMAL,
    }
)  # fmt: skip


def read_literal(text: str) -> Times:
    """Return what is known of a timestamp that is written out."""
    if text[:1] == "9" and text[:4].isdigit():
        return Times(is_endless=True, is_present=True)
    time = frozenset([Time("", text)]) if text[:4].isdigit() else _NONE
    return Times(time, time, is_present=True)


def _truncated(node: Any, read: Read) -> Times:
    unit = cut_unit(node.args.get("unit"))
    return NOTHING if unit is None else cut(read(node.this), unit)


def _to_day(node: Any, read: Read) -> Times:
    return cut(read(node.this), "day")


def _number_unit(node: exp.Expr) -> str:
    """Return what a plain number stands for that is added to `node`."""
    return "second" if isinstance(node, _UNIX) else "day"


def _add(node: Any, read: Read) -> Times:
    unit = node.args.get("unit")
    seconds = amount_s(node.expression, unit.name if unit is not None else _number_unit(node.this))
    return NOTHING if seconds is None else moved_by(read(node.this), seconds)


def _add_day(node: Any, read: Read) -> Times:
    # `date_add` and its like give a date, whatever they are given.
    times = read(node.this)
    seconds = amount_s(node.expression, "day")
    return NOTHING if seconds is None else replace(moved_by(cut(times, "day"), seconds), unit="day")


def _add_months(node: Any, read: Read) -> Times:
    seconds = amount_s(node.expression, "month")
    return NOTHING if seconds is None else replace(moved_by(cut(read(node.this), "day"), seconds), unit="day")


def _subtract(node: Any, read: Read) -> Times:
    seconds = amount_s(node.expression, _number_unit(node.this))
    if seconds is None:
        return NOTHING
    times = read(node.this)
    moved = moved_by(times, -seconds)
    is_whole = times.unit and seconds % max(1, unit_s(times.unit)) == 0
    return replace(moved, unit=times.unit) if is_whole else moved


def _greatest(node: Any, read: Read) -> Times:
    return latest([read(part) for part in (node.this, *node.expressions)])


def _least(node: Any, read: Read) -> Times:
    return earliest([read(part) for part in (node.this, *node.expressions)])


def _coalesce(node: Any, read: Read) -> Times:
    parts = [read(part) for part in (node.this, *node.expressions) if not isinstance(part, exp.Null)]
    return replace(one_of(parts), is_present=any(part.is_present for part in parts))


def _case(node: Any, read: Read) -> Times:
    values = [branch.args["true"] for branch in node.args.get("ifs") or ()]
    values.append(node.args.get("default"))
    return one_of([read(value) for value in values if value is not None and not isinstance(value, exp.Null)])


def _if(node: Any, read: Read) -> Times:
    values = (node.args.get("true"), node.args.get("false"))
    return one_of([read(value) for value in values if value is not None and not isinstance(value, exp.Null)])


# Seconds of a timestamp, as good as the timestamp.
_UNIX = (exp.StrToUnix, exp.UnixSeconds, exp.UnixMillis, exp.UnixMicros, exp.TimeToUnix)

_RULES: Mapping[type[exp.Expr], Callable[[Any, Read], Times]] = MappingProxyType(
    {
        exp.Alias: _same,
        exp.Paren: _same,
        exp.Nullif: lambda node, read: replace(read(node.this), is_present=False),
        exp.IgnoreNulls: _same,
        exp.RespectNulls: _same,
        **dict.fromkeys(_UNIX, _same),
        exp.Cast: _cast,
        exp.TryCast: _cast,
        exp.TimestampTrunc: _truncated,
        exp.DateTrunc: _truncated,
        exp.TsOrDsToDate: _to_day,
        exp.Add: _add,
        exp.TimestampAdd: _add,
        exp.TsOrDsAdd: _add_day,
        exp.AddMonths: _add_months,
        exp.Sub: _subtract,
        exp.Greatest: _greatest,
        exp.Least: _least,
        exp.Coalesce: _coalesce,
        exp.Case: _case,
        exp.If: _if,
    }
)
"""Functions and operators that keep what is known of their arguments' order."""
