"""Contracts: promised columns and columns that were found in, what differs and how it is said out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlml.errors import SqlmlError
from sqlml.ir.dag import SqlNode
from sqlml.ir.project import Scalar
from sqlml.ir.state import Column, Version


@dataclass(frozen=True, slots=True)
class Difference:
    """A column that is not as promised.

    Attributes:
        promised, found: types; None where there is no such column.
    """

    name: str
    promised: str | None
    found: str | None


def find_differences(
    promised: Sequence[Column], found: Sequence[Column], *, is_whole: bool = True
) -> tuple[Difference, ...]:
    """Return what differs, in the order of `promised`, then what was not promised; a type that is unknown fits any.

    Neither order nor the case of names counts, as for Spark.

    Args:
        is_whole: whether `found` is all there will be; if not, nothing is missing.
    """
    by_name = {column.name.lower(): column for column in found}
    differences = []
    for column in promised:
        there = by_name.pop(column.name.lower(), None)
        if there is None:
            if is_whole:
                differences.append(Difference(column.name, column.type, None))
        elif column.type and there.type and column.type.lower() != there.type.lower():
            differences.append(Difference(column.name, column.type, there.type))
    return (*differences, *(Difference(column.name, None, column.type) for column in by_name.values()))


def _table(headers: tuple[str, str, str], differences: Iterable[tuple[Difference, str]]) -> str:
    """Return differences as a table, one a line, indented, each with what it is in a word.

    Args:
        headers: over the names, what was promised and what was found.
    """
    rows = [(found.name, _shown(found.promised), _shown(found.found), word) for found, word in differences]
    lines = [(*headers, ""), *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(3)]
    padded = ["  ".join([*(text.ljust(widths[at]) for at, text in enumerate(line[:3])), line[3]]) for line in lines]
    return "\n".join(f"    {line}".rstrip() for line in padded)


def _shown(data_type: str | None) -> str:
    return "-" if data_type is None else data_type or "?"


def sql_breach(node: SqlNode, returned: Sequence[Column], kind: type[SqlmlError]) -> SqlmlError | None:
    """Return an error if a SQL model with a contract returns something else, at the first column that differs.

    Args:
        returned: all its columns; a type that is empty is not known.
        kind: of the error.
    """
    differences = find_differences(node.contract, returned) if node.contract is not None else ()
    if not differences:
        return None
    words = {"missing": "missing", "extra": "not declared", "other": "another type"}
    rows = [(found, words[_kind(found)]) for found in differences]
    table = _table(("column", "declared", "returned"), rows)
    first = next((found.name for found in differences if found.promised is not None), None)
    what = f"sql model '{node.name}' does not keep its contract\n{table}"
    return kind(what, node.place_of(first), "change the SQL, or what columns: declares")


@dataclass(frozen=True, slots=True)
class Promise:
    """What an ML model gives now, or would give if it were fitted: to be held against its champion.

    Attributes:
        reads: features and other inputs; None: unknown.
        returns: columns of its predictions, without a prefix.
        returns_all: whether these are all.
        positive: the label's value of class 1; None: unknown, or not of two classes.
        is_renamed: whether `output_prefix:` is not the champion's.
    """

    reads: tuple[Column, ...] | None
    returns: tuple[Column, ...]
    returns_all: bool = True
    positive: Scalar = None
    is_renamed: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """A change of what an ML model reads or returns.

    Attributes:
        word: what it is.
        is_harmless: whether nobody who calls it or reads its predictions has to change for it.
    """

    difference: Difference
    word: str
    is_harmless: bool = False


def find_ml_breaches(champion: Version, now: Promise) -> list[Breach]:
    """Return what `now` changes of what the champion reads and returns."""
    signature = champion.signature
    read = () if now.reads is None else find_differences((*signature.features, *signature.inputs), now.reads)
    words = {"missing": "feature is gone", "extra": "feature is new", "other": "feature of another type"}
    rows = [Breach(found, words[_kind(found)], _kind(found) == "missing") for found in read]
    returned = find_differences(signature.outputs, now.returns, is_whole=now.returns_all)
    words = {"missing": "output is gone", "extra": "output is new", "other": "output of another type"}
    rows += [Breach(found, words[_kind(found)], _kind(found) == "extra") for found in returned]
    first = signature.classes[1] if len(signature.classes) == 2 else None
    # A text for a number may mean the same; which it does is known by the fit.
    if type(first) is type(now.positive) and first != now.positive:
        rows.append(Breach(Difference("class 1", str(first), str(now.positive)), "another class"))
    if now.is_renamed:
        rows.append(Breach(Difference("output_prefix", "its own", "another"), "outputs have other names"))
    return rows


def say_ml_breach(name: str, version: int, rows: Sequence[Breach], readers: Sequence[str] = ()) -> tuple[str, str]:
    """Return what is wrong with an ML model that would not read or return what its champion does, and the fix.

    Args:
        rows: from `find_ml_breaches`.
        readers: names of what reads its predictions.
    """
    table = _table(("", f"version {version}", "now"), [(row.difference, row.word) for row in rows])
    read_by = f", which {', '.join(repr(reader) for reader in readers)} read" if readers else ""
    what = f"ml model '{name}' does not keep its contract: version {version} is its champion{read_by}"
    fix = "restore it; or to let it change, remove 'contract:', build, and write it again"
    return f"{what}\n{table}", fix


def _kind(difference: Difference) -> str:
    if difference.found is None:
        return "missing"
    return "extra" if difference.promised is None else "other"
