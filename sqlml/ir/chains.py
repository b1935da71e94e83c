"""The resolved transform of a feature: a chain of words, and what is done to it together with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlml.ir.describe import describe_feature
from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.words import NUMERIC, Infinity, Kind, Word

IMPUTE_METHODS = ("mean", "median", "mode")


@dataclass(frozen=True, slots=True)
class Applied:
    """A word that is said of a feature, or of several together.

    Attributes:
        value: as in the entry; for `reduce`, `select` and `near`, what stands after the choice.
        params: of the entry, those that a stage of this word has.
        position: of the entry in `transforms:`; -1 for a default.
    """

    word: Word
    value: Any
    params: Mapping[str, Any] = field(default_factory=dict)
    position: int = -1

    def params_of(self, stage: str) -> dict[str, Any]:
        """Return the params that `stage` is to have: sqlml's own defaults and what the entry says."""
        entry = FEATURE_STAGES[stage]
        return dict(entry.defaults) | {name: value for name, value in self.params.items() if name in entry.params}


@dataclass(frozen=True, slots=True)
class Mixing:
    """What an entry does to its columns together, in order."""

    position: int
    words: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class FeatureTransform:
    """What is done to one feature.

    Attributes:
        column: in the relation's spelling.
        type: its Spark type there.
        kind: what the words begin with: the column's kind, or that of `expr`; None: the type of `expr` is not known.
        words: in the order in which they apply, but for `expr`.
        expr: SQL that stands for the column, and `expr_type` the Spark type that it has.
        max_categories: the most frequent values that get a slot of their own; None: all.
        unseen: what becomes of a value that no training row has: `other`, `null` or `error`.
        stop_words: a language or words that are left out of a text.
        mixing: what is done to it together with others afterwards.
    """

    column: str
    type: str
    kind: Kind | None
    words: tuple[Applied, ...] = ()
    expr: str | None = None
    expr_type: str | None = None
    max_categories: int | None = None
    unseen: str = "other"
    stop_words: str | tuple[str, ...] | None = None
    mixing: Mixing | None = None

    def said(self, key: str) -> Applied | None:
        """Return the word of `key`, or None if it does not apply."""
        return next((applied for applied in self.words if applied.word.key == key), None)

    def value(self, key: str) -> Any:
        """Return the value of the word of `key`; None if it does not apply."""
        applied = self.said(key)
        return None if applied is None else applied.value

    @property
    def value_type(self) -> str:
        """The Spark type of what the words begin with."""
        return self.type if self.expr is None else self.expr_type or ""

    @property
    def impute(self) -> str | None:
        """`mean`, `median` or `mode`: what is learnt to stand for null (and NaN); None: nothing is."""
        value = self.value("impute")
        return value if value in IMPUTE_METHODS else None

    @property
    def fill(self) -> Any:
        """A constant to stand for null (and NaN) instead."""
        value = self.value("impute")
        return None if value in IMPUTE_METHODS else value

    @property
    def is_range(self) -> bool:
        """Whether a number is cut into ranges."""
        return self.said("bucket") is not None or self.said("quantiles") is not None

    @property
    def is_category(self) -> bool:
        """Whether the values themselves, as texts, are categories."""
        return self.said("encode") is not None and not self.is_range and self.kind not in (Kind.ARRAY, Kind.VECTOR)

    @property
    def takes_infinity(self) -> bool:
        """Whether an infinite number in a training row does no harm."""
        if self.kind in (Kind.ARRAY, Kind.VECTOR):
            return False
        for applied in self.words:
            if applied.word.infinity is not Infinity.PASSES:
                return applied.word.infinity is not Infinity.STOPS
        return self.kind not in NUMERIC

    def describe(self) -> str:
        """Return one line for a person: the column, its type and what is done, in order."""
        return describe_feature(self)
