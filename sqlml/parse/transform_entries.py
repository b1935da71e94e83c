"""Entries of `transforms:`: what was written in, what it declares out."""

from __future__ import annotations

from typing import Any

from sqlml.ir.location import SourceLocation
from sqlml.ir.transform_spec import TransformSpec
from sqlml.parse.transform_checks import LANGUAGES
from sqlml.parse.transform_specs import Choices, TransformEntry


def to_transform(entry: TransformEntry, location: SourceLocation) -> TransformSpec:
    """Return what an entry declares."""
    given: dict[str, Any] = {
        key: getattr(entry, key) for key in TransformEntry.model_fields if key not in ("columns", "clip", "params")
    }
    for key, value in given.items():
        if isinstance(value, Choices):
            given[key] = value.choice()
        elif isinstance(value, list):
            given[key] = tuple(value)
    clip = (entry.clip[0], entry.clip[1]) if entry.clip is not None and len(entry.clip) == 2 else None
    if entry.stop_words is not None and len(entry.stop_words) == 1 and entry.stop_words[0] in LANGUAGES:
        given["stop_words"] = entry.stop_words[0]
    return TransformSpec(
        columns=tuple(entry.columns.names),
        location=location,
        type=entry.columns.type,
        like=entry.columns.like,
        clip=clip,
        params=entry.params,
        **given,
    )
