"""One entry of `transforms:`, as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlml.ir.location import SourceLocation


@dataclass(frozen=True, slots=True)
class TransformSpec:
    """One entry of `transforms:`, the words given only (None: not given); `ir.words` says what each does.

    Attributes:
        columns: names, or `("*",)` for every feature; empty where `type` or `like` selects.
        type: features of this Spark type or kind.
        like: features whose name fits this pattern, `*` standing for any text.
        impute: `mean`, `median`, `mode`, or a constant value.
        clip: the lowest and the highest value; None: no limit.
        bucket: the limits between ranges.
        reduce, select, near: the choice and its value: `("pca", 3)`.
        params: Spark ML's own params for the stages that the entry makes.
    """

    columns: tuple[str, ...]
    location: SourceLocation
    type: str | None = None
    like: str | None = None
    expr: str | None = None
    impute: str | float | bool | None = None
    indicator: bool | None = None
    clip: tuple[float | None, float | None] | None = None
    binarize: float | None = None
    bucket: tuple[float, ...] | None = None
    quantiles: int | None = None
    encode: str | None = None
    max_categories: int | None = None
    unseen: str | None = None
    text: str | None = None
    stop_words: str | tuple[str, ...] | None = None
    scale: str | None = None
    multiply: tuple[float, ...] | None = None
    normalize: float | None = None
    expand: str | None = None
    reduce: tuple[str, Any] | None = None
    select: tuple[str, Any] | None = None
    near: tuple[str, Any] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
