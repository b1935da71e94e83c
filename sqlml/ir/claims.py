"""Who says what of which feature: an ML model's transform entries in, for each feature the most specific words out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.features import role_error
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.words import MIXING, OPTIONS, ORDER, Kind

_NUMBER = re.compile(r"(tinyint|smallint|int|bigint|float|double|decimal\(.*\))$")
_TEXT = re.compile(r"(string|char\(\d+\)|varchar\(\d+\))( collate .*)?$")

SPECIFIC_KEYS = tuple(key for key in (*ORDER, *OPTIONS) if key not in MIXING)
"""The words that are said of each column by itself, and their options."""

TYPE_NAMES = (
    "number", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "boolean", "string", "char",
    "varchar", "date", "timestamp", "timestamp_ntz", "binary", "array", "map", "struct", "vector",
)  # fmt: skip
"""What `{type: …}` may name: Spark's types without their parameters, and `number` for all that are one."""


class Rank(IntEnum):
    """How specific an entry's `columns:` are; the higher wins."""

    ALL = 0
    TYPE = 1
    PATTERN = 2
    NAME = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A word that an entry says of a feature.

    Attributes:
        value: as in the entry; for the words that mix columns, all of them: key to value.
        position: of the entry in `transforms:`.
    """

    value: Any
    entry: TransformSpec
    position: int

    @property
    def rank(self) -> Rank:
        """How specific it is."""
        return rank_of(self.entry)


@dataclass(slots=True)
class Claims:
    """What was said of one feature.

    Attributes:
        words: key to the most specific claim.
        mixing: the entry that mixes the feature with others.
    """

    words: dict[str, Claim] = field(default_factory=dict)
    mixing: Claim | None = None


def kind_of(data_type: str) -> Kind | None:
    """Return what a column of a Spark type is by itself; None where words of SQL have to make something of it first."""
    name = data_type.lower()
    if _NUMBER.match(name):
        return Kind.NUMBER
    if _TEXT.match(name):
        return Kind.CATEGORY
    if name.startswith("array<"):
        inner = name[6:-1]
        return Kind.ARRAY if _NUMBER.match(inner) else Kind.WORDS if _TEXT.match(inner) else None
    return {"boolean": Kind.BOOLEAN, "vector": Kind.VECTOR}.get(name)


def rank_of(entry: TransformSpec) -> Rank:
    """Return how specific the columns of an entry are."""
    if entry.type is not None:
        return Rank.TYPE
    if entry.like is not None:
        return Rank.PATTERN
    return Rank.ALL if entry.columns == ("*",) else Rank.NAME


def selector_text(entry: TransformSpec) -> str:
    """Return the columns of an entry as a user wrote them, for messages."""
    if entry.type is not None:
        return f"{{type: {entry.type}}}"
    if entry.like is not None:
        return f"{{like: {entry.like}}}"
    return ", ".join(entry.columns)


def words_of(entry: TransformSpec) -> Iterator[tuple[str, Any]]:
    """Yield the words of an entry with their values, in the order in which they apply; options last."""
    for key in (*ORDER, *OPTIONS):
        value = getattr(entry, key)
        if value is not None:
            yield key, value


def find_claims(
    columns: Sequence[Column], features: Sequence[str], ml_model: MlModel
) -> tuple[dict[str, Claims], list[SqlmlError]]:
    """Return what is said of each feature, and what is wrong with the entries' columns."""
    types = {column.name: column.type for column in columns}
    names = [column.name for column in columns]
    claims: dict[str, Claims] = {name: Claims() for name in features}
    errors: list[SqlmlError] = []
    for position, entry in enumerate(ml_model.transforms):
        selected, wrong = _select(entry, names, features, types, ml_model)
        errors += wrong
        for name in selected:
            errors += _claim(claims[name], name, entry, position)
    return claims, errors


def _claim(held: Claims, name: str, entry: TransformSpec, position: int) -> Iterator[SqlmlError]:
    said = dict(words_of(entry))
    for key in SPECIFIC_KEYS:
        if key in said:
            claim = Claim(said[key], entry, position)
            other = held.words.get(key)
            if other is not None and other.rank is claim.rank:
                yield _equal_claims(f"give '{_shown(name, claim)}' the word '{key}'", claim, other)
            elif other is None or claim.rank > other.rank:
                held.words[key] = claim
    mixing = {key: said[key] for key in MIXING if key in said}
    if mixing:
        claim = Claim(mixing, entry, position)
        if held.mixing is not None and held.mixing.rank is claim.rank:
            yield _equal_claims(f"mix '{_shown(name, claim)}' with other columns", claim, held.mixing)
        elif held.mixing is None or claim.rank > held.mixing.rank:
            held.mixing = claim


def _shown(name: str, claim: Claim) -> str:
    return "*" if claim.rank is Rank.ALL else name


def _equal_claims(what: str, claim: Claim, other: Claim) -> CompileError:
    same = selector_text(claim.entry) == selector_text(other.entry) or claim.rank is Rank.NAME
    fix = "leave one of them out" if same else "leave one of them out, or name the columns of one"
    return CompileError(f"two transforms {what}, the other at {other.entry.location}", claim.entry.location, fix)


def _select(
    entry: TransformSpec, names: Sequence[str], features: Sequence[str], types: Mapping[str, str], ml_model: MlModel
) -> tuple[Sequence[str], list[SqlmlError]]:
    """Return the features that an entry is about, in the order of the features."""
    if entry.type is None and entry.like is None:
        return _select_names(entry, names, features, ml_model)
    if entry.type is not None:
        found = [name for name in features if is_of_type(types[name], entry.type)]
        there = sorted({types[name] for name in features})
        fix = f"the features are of: {', '.join(there)}"
    else:
        found = names_like(entry.like or "", features)
        fix = suggest((entry.like or "").replace("*", ""), features, "the features are")
    if found or (entry.type is not None and not all(types[name] for name in features)):
        # Before Spark starts the type of a column may be unknown, of which nothing is said.
        return found, []
    what = f"a transform of ml model '{ml_model.name}' is for '{selector_text(entry)}', which no feature is"
    return (), [CompileError(what, entry.location, fix)]


def names_like(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the names that fit a pattern, in which `*` stands for any text."""
    compiled = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
    return [name for name in names if compiled.fullmatch(name)]


def is_of_type(data_type: str, wanted: str) -> bool:
    """Tell whether a Spark type is the one that `{type: …}` names: exactly, without its parameters, or as a kind."""
    name, wanted = data_type.lower(), wanted.lower()
    base = re.split(r"[(<]", name)[0]
    return wanted in (name, base) or (wanted == "number" and kind_of(name) is Kind.NUMBER)


def _select_names(
    entry: TransformSpec, names: Sequence[str], features: Sequence[str], ml_model: MlModel
) -> tuple[Sequence[str], list[SqlmlError]]:
    if entry.columns == ("*",):
        return features, []
    known = {name.lower(): name for name in features}
    errors: list[SqlmlError] = [
        _not_a_feature(column, entry.location, names, features, ml_model)
        for column in entry.columns
        if column.lower() not in known
    ]
    named = dict.fromkeys(column.lower() for column in entry.columns)
    return [known[name] for name in named if name in known], errors


def _not_a_feature(
    column: str, location: SourceLocation, names: Sequence[str], features: Sequence[str], ml_model: MlModel
) -> CompileError:
    has_role = role_error(column, ml_model, location)
    if has_role is not None:
        return has_role
    is_there = column.lower() in {name.lower() for name in names}
    what = "is not a feature" if is_there else "its training data does not have"
    return CompileError(
        f"a transform of ml model '{ml_model.name}' names '{column}', which {what}",
        location,
        suggest(column, features, "the features are"),
    )
