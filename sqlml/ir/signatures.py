"""What an ML model reads and returns before it is fitted, and whether a relation has what a fitted one reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlml.ir.state import Column

INTEGERS = ("tinyint", "smallint", "int", "bigint")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class ExpectedSignature:
    """What a fit would read and return now, as far as it is known without one; types that are not known are empty.

    Attributes:
        features: in the order of the feature list; None: unknown.
        label: None for clusterings.
        outputs: the columns that prediction adds, without a prefix; only those that are sure.
        inputs: what a prediction reads besides the features: an offset.
        has_all_outputs: whether these are all; of how many classes a classifier is may be known by a fit only.
    """

    features: tuple[Column, ...] | None = None
    label: Column | None = None
    outputs: tuple[Column, ...] = ()
    has_all_outputs: bool = False
    inputs: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """How a feature differs from the champion's: new (`was` is None), gone (`now` is None), or of another type.

    Attributes:
        was, now: Spark types, empty where unknown.
        why: whether the spec or the relation is behind it; empty for another type.
    """

    feature: str
    was: str | None
    now: str | None
    why: str = ""

    @property
    def sign(self) -> str:
        """`+`, `-` or `~`."""
        return "+" if self.was is None else "-" if self.now is None else "~"

    def __str__(self) -> str:
        if self.was is not None and self.now is not None:
            return f"~ feature {self.feature}: {self.was} -> {self.now}"
        return f"{self.sign} feature {self.feature}, {self.why}"


def compare_features(
    was: Sequence[Column], now: Sequence[Column], listed: Collection[str], columns: Collection[str]
) -> tuple[FeatureChange, ...]:
    """Return the features that are new, gone or of another type, in the order in which they are read now.

    Args:
        was: those of a fitted model.
        now: those that a fit would read.
        listed: the features that the spec names.
        columns: all of the training relation.
    """
    before = {column.name.lower(): column for column in was}
    after = {column.name.lower(): column for column in now}
    named, there = ({name.lower() for name in names} for names in (listed, columns))
    changes = []
    for key, column in after.items():
        held = before.get(key)
        if held is None:
            why = "new in the spec" if key in named else "new upstream"
            changes.append(FeatureChange(column.name, None, column.type, why))
        elif held.type and column.type and held.type != column.type:
            changes.append(FeatureChange(column.name, held.type, column.type))
    for key, column in before.items():
        if key not in after:
            why = "no feature any more" if key in there else "gone upstream"
            changes.append(FeatureChange(column.name, column.type, None, why))
    return tuple(changes)


@dataclass(frozen=True, slots=True)
class Misfit:
    """What a relation lacks of what a fitted model reads.

    Attributes:
        missing: what it does not have.
        wrong: what is needed, and the column of the relation that cannot stand for it.
    """

    missing: tuple[Column, ...] = ()
    wrong: tuple[tuple[Column, Column], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.wrong)

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append("lacks " + ", ".join([_shown(column) for column in self.missing]))
        if self.wrong:
            pairs = [f"'{given.name}' as {given.type} where it needs {needed.type}" for needed, given in self.wrong]
            parts.append("has " + ", ".join(pairs))
        return " and ".join(parts)


def find_misfit(columns: Sequence[Column], needed: Sequence[Column]) -> Misfit:
    """Return what of `needed` a relation with `columns` does not have; names are compared without case.

    A type may be narrower than the fit's (`int` for `bigint` or `double`), and any integer stands for any other; null
    without a type stands for every type. Of a type that is not known nothing is said.
    """
    by_name = {column.name.lower(): column for column in columns}
    missing = tuple([column for column in needed if column.name.lower() not in by_name])
    found = [(column, by_name[column.name.lower()]) for column in needed if column not in missing]
    wrong = [pair for pair in found if pair[0].type and pair[1].type and not fits(pair[1].type, pair[0].type)]
    return Misfit(missing, tuple(wrong))


def fits(given: str, needed: str) -> bool:
    """Tell whether a value of Spark type `given` can stand where a fit had type `needed`, with the same meaning."""
    if given in (needed, "void"):
        return True
    if needed.startswith("array<") and given.startswith("array<"):
        return fits(given[6:-1], needed[6:-1])
    if _is_text(needed):
        return _is_text(given)
    if needed in INTEGERS:
        return given in INTEGERS
    if needed in ("float", "double"):
        return given in (*INTEGERS, "float", "double") or _DECIMAL.match(given) is not None
    wide = _DECIMAL.match(needed)
    if wide is None:
        return False
    narrow = _DECIMAL.match({"tinyint": "decimal(3,0)", "smallint": "decimal(5,0)", "int": "decimal(10,0)",
                             "bigint": "decimal(20,0)"}.get(given, given))  # fmt: skip
    if narrow is None:
        return False
    (precision, scale), (least, digits) = map(int, wide.groups()), map(int, narrow.groups())
    return scale >= digits and precision - scale >= least - digits


def _is_text(data_type: str) -> bool:
    return data_type.startswith(("string", "char(", "varchar("))


def _shown(column: Column) -> str:
    return f"'{column.name}' ({column.type})" if column.type else f"'{column.name}'"
