"""Checks of the transforms of one ML model by themselves: a spec in, what no stage of Spark ML could take out."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sqlml.errors import SqlmlError, suggest
from sqlml.ir.claims import TYPE_NAMES
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.words import MOST_CATEGORIES, OPTIONS, ORDER, find_word
from sqlml.parse.specs import MlModelSpec
from sqlml.parse.subject import Subject
from sqlml.parse.transform_specs import Choices, SelectorSpec, TransformEntry

LANGUAGES = (
    "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese",
    "russian", "spanish", "swedish", "turkish",
)  # fmt: skip
"""The languages whose stop words Spark has."""

_IMPUTE_WORDS = ("mean", "median", "mode")
_RIVALS = (("binarize", "bucket", "quantiles"), ("encode", "text"))


def check_transforms(spec: MlModelSpec, roles: Mapping[str, str], subject: Subject) -> Iterator[SqlmlError]:
    """Yield what is wrong with the transforms of an ML model.

    Args:
        roles: column in lower case to its role.
    """
    excluded = {column.lower() for column in spec.features.exclude}
    for position, entry in enumerate(spec.transforms):
        path = f"transforms.{position}"
        yield from _check_columns(entry.columns, roles, excluded, path, subject)
        yield from _check_words(entry, path, subject)
        yield from _check_values(entry, path, subject)
        yield from _check_mixing(entry, path, subject)
        yield from _check_label(entry, spec, path, subject)


def _check_columns(
    columns: SelectorSpec, roles: Mapping[str, str], excluded: set[str], path: str, subject: Subject
) -> Iterator[SqlmlError]:
    for column in columns.names:
        if column.lower() in roles:
            what = f"a transform names '{column}', which is the {roles[column.lower()]}"
            yield subject.value_error(f"{path}.columns", what, "transforms are for features: remove it")
        if column.lower() in excluded:
            what = f"a transform names '{column}', which is excluded from the features"
            yield subject.value_error(f"{path}.columns", what, "remove it from one of the two")
    if "*" in columns.names and len(columns.names) > 1:
        yield subject.value_error(f"{path}.columns", "'*' means every feature, and stands alone", 'write columns: "*"')
    named = (columns.type or "").lower()
    if columns.type is not None and named.split("(")[0].split("<")[0] not in TYPE_NAMES:
        what = f"'{{type: {columns.type}}}' names no type of Spark"
        yield subject.value_error(f"{path}.columns", what, suggest(named, TYPE_NAMES, "there are"))
    if columns.like is not None and not columns.like.strip("*"):
        yield subject.value_error(
            f"{path}.columns", f"'{{like: {columns.like}}}' is every feature", 'write columns: "*"'
        )


def _check_words(entry: TransformEntry, path: str, subject: Subject) -> Iterator[SqlmlError]:
    said = [key for key in (*ORDER, *OPTIONS) if getattr(entry, key) is not None]
    if not said and not entry.params:
        fix = f"add one of: {', '.join(f'{key}:' for key in ORDER)}"
        yield subject.error(path, "a transform that says nothing to do", fix)
    for option, key in OPTIONS.items():
        if option in said and key not in said:
            fix = {"encode": "add encode: index or encode: one_hot", "text": "add text: tokens or text: counts"}[key]
            yield subject.error(f"{path}.{option}", f"'{option}' means nothing without '{key}'", fix)
    for rivals in _RIVALS:
        both = [key for key in rivals if key in said]
        if len(both) > 1:
            what = f"a transform says both '{both[0]}' and '{both[1]}'"
            yield subject.error(f"{path}.{both[1]}", what, "a column takes one of the two: remove the other")


def _check_mixing(entry: TransformEntry, path: str, subject: Subject) -> Iterator[SqlmlError]:
    # Each before it makes one vector of the columns.
    before = [key for key in ("multiply", "normalize") if getattr(entry, key) is not None]
    if before and entry.expand == "interaction":
        what = f"'expand: interaction' multiplies columns, and '{before[0]}' makes one vector of them before"
        yield subject.value_error(f"{path}.expand", what, "do one of the two in the SQL")


def _check_values(entry: TransformEntry, path: str, subject: Subject) -> Iterator[SqlmlError]:
    yield from _check_impute(entry.impute, path, subject)
    for key, wrong in (
        ("clip", _wrong_clip(entry.clip)),
        ("bucket", _wrong_bucket(entry.bucket)),
        ("quantiles", entry.quantiles == 1 and ("makes one range of everything", "write 2 or more")),
        ("multiply", _wrong_multiply(entry.multiply)),
        ("normalize", _wrong_norm(entry.normalize)),
        ("select", _wrong_select(entry)),
        ("near", _wrong_near(entry)),
        ("max_categories", _wrong_max(entry)),
        ("stop_words", _wrong_stop_words(entry.stop_words)),
    ):
        if wrong:
            what, fix = wrong
            yield subject.value_error(f"{path}.{key}", f"'{key}' {what}", fix)


def _check_impute(value: Any, path: str, subject: Subject) -> Iterator[SqlmlError]:
    # A constant may be any text, but one that is almost a word is a slip.
    if isinstance(value, str) and value not in _IMPUTE_WORDS:
        near = difflib.get_close_matches(value.lower(), _IMPUTE_WORDS, n=1, cutoff=0.8)
        if near:
            what = f"'impute: {value}' is neither of {', '.join(_IMPUTE_WORDS)}, but almost"
            yield subject.value_error(f"{path}.impute", what, f"did you mean '{near[0]}'?")
    if isinstance(value, float) and not math.isfinite(value):
        yield subject.value_error(f"{path}.impute", f"'impute: {value}' is not finite", "write a number")


Wrong = tuple[str, str] | None


def _wrong_clip(clip: list[float | None] | None) -> Wrong:
    if clip is None:
        return None
    fix = "write [LOW, HIGH], with null for no limit"
    if len(clip) != 2:
        return f"takes two limits, not {len(clip)}", fix
    low, high = clip
    if low is None and high is None:
        return "has no limit", fix
    if any(limit is not None and not math.isfinite(limit) for limit in clip):
        return "has a limit that is not finite", fix
    if low is not None and high is not None and low >= high:
        return f"has a lower limit of {low:g}, which is not below {high:g}", "swap the two"
    return None


def _wrong_bucket(splits: list[float] | None) -> Wrong:
    if splits is None:
        return None
    inner = [split for split in splits if math.isfinite(split)]
    if not inner or any(math.isnan(split) for split in splits):
        return "has no split", "write the limits between ranges, such as [0, 10, 100]"
    if any(left >= right for left, right in pairwise(splits)):
        return "has splits that do not rise", "write each once, the lowest first"
    return None


def _wrong_multiply(factors: list[float] | None) -> Wrong:
    if factors is not None and (not factors or not all(math.isfinite(factor) for factor in factors)):
        return "takes finite numbers", "write a factor for each slot, such as [0.5, 2]"
    return None


def _wrong_norm(norm: float | None) -> Wrong:
    if norm is not None and not norm >= 1:
        return f"takes a norm of 1 or more, not {norm:g}", "write 1, 2 or .inf"
    return None


def _wrong_select(entry: TransformEntry) -> Wrong:
    if entry.select is None:
        return None
    said = entry.select.said()
    if len(said) != 1:
        return f"says {len(said)} ways to select", "write one of: variance, univariate, chi_square, slots"
    (way, value), mode = next(iter(said.items())), entry.params.get("selectionMode", "numTopFeatures")
    if way == "variance":
        return None if value >= 0 else ("takes a variance of 0 or more", "write select: {variance: 0}")
    if way == "slots":
        is_fine = value and all(isinstance(slot, str) or _is_position(slot) for slot in value)
        return None if is_fine else ("takes names or positions of slots", "write select: {slots: [0, 2]}")
    if mode == "numTopFeatures" and not (value >= 1 and float(value).is_integer()):
        return f"takes how many slots to keep, not {value:g}", f"write select: {{{way}: 10}}"
    if mode != "numTopFeatures" and not 0 <= value <= 1:
        return f"takes a share from 0 to 1 with selectionMode {mode}, not {value:g}", f"write select: {{{way}: 0.05}}"
    return None


def _is_position(slot: Any) -> bool:
    return isinstance(slot, int) and not isinstance(slot, bool) and slot >= 0


def _wrong_near(entry: TransformEntry) -> Wrong:
    if entry.near is None:
        return None
    said = entry.near.said()
    if len(said) != 1:
        return f"says {len(said)} ways to hash", "write one of: min_hash, random_projection"
    if (entry.near.random_projection or 1) <= 0:
        return "takes buckets longer than 0", "write near: {random_projection: 2.0}"
    return None


def _wrong_max(entry: TransformEntry) -> Wrong:
    is_slotted = entry.encode in ("index", "one_hot")
    if is_slotted and entry.max_categories is not None and entry.max_categories > MOST_CATEGORIES:
        what = f"is at most {MOST_CATEGORIES} with 'encode: {entry.encode}', not {entry.max_categories}"
        return what, "lower it, or take encode: target or encode: hash, which have no limit"
    return None


def _wrong_stop_words(words: list[str] | None) -> Wrong:
    if words is None:
        return None
    if not words:
        return "is an empty list", "name a language or words, or remove it"
    if len(words) == 1 and words[0] not in LANGUAGES:
        near = difflib.get_close_matches(words[0].lower(), LANGUAGES, n=1, cutoff=0.8)
        if near:
            return f"is '{words[0]}', which is almost a language", f"did you mean '{near[0]}'?"
    return None


def _check_label(entry: TransformEntry, spec: MlModelSpec, path: str, subject: Subject) -> Iterator[SqlmlError]:
    estimator = ESTIMATORS.get(spec.estimator)
    if estimator is None or estimator.needs_label:
        return
    for key in ("encode", "select"):
        value = getattr(entry, key)
        if isinstance(value, Choices):
            value = value.choice()
        if value is not None and find_word(key, value).is_supervised:
            what = f"'{find_word(key, value).name}' learns from a label, and {spec.estimator} has none"
            yield subject.value_error(f"{path}.{key}", what, "remove it")
