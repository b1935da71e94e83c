"""Checks what an entry asks of its columns' slots, as far as no fit is needed to know them: chains in, errors out."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb, inf, isinf
from typing import Any

from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.chains import Applied, FeatureTransform, Mixing
from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.project import MlModel
from sqlml.ir.slots import expected_slots
from sqlml.ir.words import Kind


@dataclass(frozen=True, slots=True)
class _Slots:
    """What is known of the slots of an entry before a fit.

    Attributes:
        names: of the slots; `*` stands for what a fit learns.
        most: how many there are at most; None: no limit is known.
        is_exact: whether there are exactly so many.
    """

    names: tuple[str, ...]
    most: int | None
    is_exact: bool

    def has(self, name: str) -> bool:
        """Return whether there may be a slot of this name."""
        return any(fnmatch.fnmatchcase(name, re.sub(r"([\[?])", r"[\1]", pattern)) for pattern in self.names)


def check_slots(transforms: Sequence[FeatureTransform], ml_model: MlModel) -> Iterator[SqlmlError]:
    """Yield an error for each entry that asks for slots that no fit would make; those that one may make are let be.

    Args:
        transforms: of all features of `ml_model`, each of a known type.
    """
    mixings = {each.mixing.position: each.mixing for each in transforms if each.mixing is not None}
    seen: Counter[str] = Counter()
    for mixing in mixings.values():
        members = [each for each in transforms if each.mixing is not None and each.mixing.position == mixing.position]
        yield from _check_entry(members, mixing, seen, ml_model)


def _check_entry(
    members: Sequence[FeatureTransform], mixing: Mixing, seen: Counter[str], ml_model: MlModel
) -> Iterator[SqlmlError]:
    slots = _gathered(members)
    title = ", ".join(f"'{member.column}'" for member in members)
    for applied in mixing.words:
        seen[applied.word.name] += 1
        count = seen[applied.word.name]
        wrong = list(_wrong(applied, slots, title))
        place = ml_model.places.value_of(f"transforms.{mixing.position}.{applied.word.key}")
        for what, fix in wrong:
            yield CompileError(f"ml model '{ml_model.name}': {what}", place, fix)
        if wrong:
            return
        slots = _after(applied, slots, str(count) if count > 1 else "")


def _gathered(members: Sequence[FeatureTransform]) -> _Slots:
    """Return the slots of the columns of an entry before they are mixed."""
    groups: dict[str, int] = {}
    # What is scaled alike stands together, and before all others.
    members = sorted(members, key=lambda member: _place(member, groups))
    alone = [replace(member, mixing=None, words=_told(member)) for member in members]
    names = [slot.name for slot in expected_slots([member.column for member in alone], alone)]
    sizes = [_size(member) for member in members]
    hashed = {at for at, member in enumerate(members) if member.value("encode") == "hash"}
    # What is hashed together has its slots once.
    counted = [size for at, size in enumerate(sizes) if at not in hashed or at == min(hashed)]
    most = sum(size for size, _ in counted if size is not None)
    is_limited = all(size is not None for size, _ in counted)
    return _Slots(tuple(names), most if is_limited else None, is_limited and all(exact for _, exact in counted))


def _place(member: FeatureTransform, groups: dict[str, int]) -> float:
    scale = member.said("scale")
    if scale is None or not scale.word.stages:
        return inf
    return groups.setdefault(repr((scale.value, sorted(scale.params.items()))), len(groups))


def _told(member: FeatureTransform) -> tuple[Applied, ...]:
    """Return the words that make the slots that are mixed: an indicator stays by itself."""
    return tuple([applied for applied in member.words if applied.word.key != "indicator"])


def _size(member: FeatureTransform) -> tuple[int | None, bool]:
    """Return how many slots a column has at most, and whether it has exactly so many."""
    encode, text = member.said("encode"), member.said("text")
    if member.kind is None:
        return None, False
    if text is not None:
        return _text_size(text)
    if encode is not None and encode.value == "hash":
        return int(encode.params_of("FeatureHasher")["numFeatures"]), True
    if encode is not None and encode.value == "one_hot":
        bucket, quantiles = member.value("bucket"), member.value("quantiles")
        if bucket is not None:
            return len([split for split in bucket if not isinf(split)]) + 2, False
        if quantiles is not None:
            return int(quantiles) + 1, False
        return None if member.max_categories is None else member.max_categories + 2, False
    return (None, False) if member.kind in (Kind.ARRAY, Kind.VECTOR) else (1, True)


_COUNTED: Mapping[str, str] = {"hashing_tf": "HashingTF", "word2vec": "Word2Vec"}
_SIZE_PARAM: Mapping[str, str] = {"HashingTF": "numFeatures", "Word2Vec": "vectorSize", "CountVectorizer": "vocabSize"}
_SPARKS_VECTOR_SIZE = 100


def _text_size(text: Applied) -> tuple[int, bool]:
    is_hashed = text.value == "tf_idf" and "numFeatures" in text.params
    stage = "HashingTF" if is_hashed else _COUNTED.get(text.value, "CountVectorizer")
    param = _SIZE_PARAM[stage]
    given = text.params.get(param, FEATURE_STAGES[stage].defaults.get(param, _SPARKS_VECTOR_SIZE))
    return int(given), stage != "CountVectorizer"


def _wrong(applied: Applied, slots: _Slots, title: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with what a word asks of the slots, and the fix."""
    most, count = slots.most, "" if slots.is_exact else "at most "
    for slot in applied.value if applied.word.name == "select: {slots}" else ():
        what = f"'select: {{slots: …}}' of {title} names slot '{slot}', which is none"
        if isinstance(slot, str) and not slots.has(slot):
            yield what, suggest(slot, slots.names, "there are")
        if isinstance(slot, int) and most is not None and slot >= most:
            yield what, f"there {'is' if most == 1 else 'are'} {count}{most}, from 0"
    if applied.word.key == "reduce" and most is not None and applied.value > most:
        what = f"'reduce: {{{applied.word.choice}: {applied.value}}}' of {title} has {count}{most} slots to reduce"
        yield what, f"write {most} or less"
    if applied.word.key == "multiply" and most is not None:
        given = len(applied.value)
        if given > most or (slots.is_exact and given != most):
            what = f"'multiply' of {title} has {given} factors for {count}{most} slots"
            yield what, f"write one for each of: {', '.join(slots.names[:10])}"


def _after(applied: Applied, slots: _Slots, suffix: str) -> _Slots:
    """Return the slots that a word leaves or makes.

    Args:
        suffix: of slots that have a number for a name, where another entry has the same word.
    """
    made: Mapping[str, Any] = {
        "expand: dct": lambda: _Slots((f"dct{suffix}_*",), slots.most, slots.is_exact),
        "expand: interaction": lambda: _Slots(("*",), None, False),
        "expand: polynomial": lambda: _expanded(slots, int(applied.params.get("degree", 2))),
        "reduce: {pca}": lambda: _Slots(_numbered(f"pca{suffix}", applied.value), applied.value, True),
    }
    return made[applied.word.name]() if applied.word.name in made else slots


def _expanded(slots: _Slots, degree: int) -> _Slots:
    most = None if slots.most is None else comb(slots.most + degree, degree) - 1
    return _Slots(("*",), most, slots.is_exact)


def _numbered(word: str, count: int) -> tuple[str, ...]:
    return tuple([f"{word}_{number}" for number in range(count)])
