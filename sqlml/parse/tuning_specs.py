"""The grammar of folds, and of the search for params on them."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sqlml.parse.relation_specs import Spec
from sqlml.parse.transform_specs import SelectorSpec
from sqlml.parse.value_types import Columns, Fraction, Period, Positive, Seconds, describe, refuse, spelled

_SPACE_FIX = "write the values to try, such as [4, 6], or a range such as {low: 0.01, high: 1, log: true}"
_RANGE_KEYS = {"low", "high", "log"}
_NUMBER = {"type": "number"}


def _check_count(value: int) -> int:
    if value < 2:
        raise refuse(f"must be 2 or more, not {describe(value)}", "write n: 3")
    return value


def _check_space(value: Any) -> Any:
    if isinstance(value, list):
        if not value:
            raise refuse("is an empty list, of which nothing can be tried", _SPACE_FIX)
        # Python takes true for 1.
        texts = [repr(item) for item in value]
        for at, text in enumerate(texts):
            if text in texts[:at]:
                raise refuse(f"has {describe(value[at])} twice", "try each value once")
        return value
    if not isinstance(value, dict):
        raise refuse(f"must be a list or a range, not {describe(value)}", _SPACE_FIX)
    if set(value) - _RANGE_KEYS or not {"low", "high"} <= set(value):
        raise refuse("must be a range of 'low', 'high' and, if it is wanted, 'log'", _SPACE_FIX)
    low, high, log = value["low"], value["high"], value.get("log", False)
    if not _is_number(low) or not _is_number(high) or not isinstance(log, bool):
        raise refuse("must have numbers for 'low' and 'high', and true or false for 'log'", _SPACE_FIX)
    if low >= high:
        raise refuse(f"has a 'low' of {low}, which is not below {high}", "swap the two")
    if log and low <= 0:
        raise refuse(f"has a 'low' of {low}, and 'log' needs one above 0", "write a 'low' above 0, or remove 'log:'")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


Space = Annotated[
    Any,
    AfterValidator(_check_space),
    spelled(
        anyOf=[
            {"type": "array", "minItems": 1},
            {
                "type": "object",
                "properties": {"low": _NUMBER, "high": _NUMBER, "log": {"type": "boolean"}},
                "required": ["low", "high"],
                "additionalProperties": False,
            },
        ]
    ),
]


class FoldsSpec(Spec):
    """`folds:`.

    Attributes:
        by: hash; time: fitted on what lies before, validated on what follows; group: all rows of a group in one fold.
            As the split, unless it is said.
        column: The columns that are hashed, the column of time, or the columns of a group.
        n: How many folds (3).
        gap: By time: so long before each fold no row is fitted on, such as 1d; as the split, unless it is said.
        seed: Seed of the hash; the split's, unless it is said.
    """

    by: Literal["hash", "time", "group"] | None = None
    column: Columns = Field(default_factory=list)
    n: Annotated[int, AfterValidator(_check_count), spelled(type="integer", minimum=2)] | None = None
    gap: Seconds | None = None
    seed: int | None = None


class TunedTransform(Spec):
    """An entry of `transforms:` of `tune:`: words with the values to try, over those of the entry for the same columns.

    Attributes:
        columns: As in the entry of transforms: that is tuned; without such an entry they get one.
        impute: Values to try.
        indicator: Values to try.
        clip: Values to try.
        binarize: Values to try, or a range.
        bucket: Values to try.
        quantiles: Values to try, or a range.
        encode: Values to try.
        max_categories: Values to try, or a range.
        unseen: Values to try.
        text: Values to try.
        scale: Values to try.
        normalize: Values to try, or a range.
        expand: Values to try.
        reduce: Values to try, such as [{pca: 2}, {pca: 4}].
        select: Values to try.
        params: Spark ML's params of the stages, each with the values to try, or a range.
    """

    columns: SelectorSpec
    impute: Space | None = None
    indicator: Space | None = None
    clip: Space | None = None
    binarize: Space | None = None
    bucket: Space | None = None
    quantiles: Space | None = None
    encode: Space | None = None
    max_categories: Space | None = None
    unseen: Space | None = None
    text: Space | None = None
    scale: Space | None = None
    normalize: Space | None = None
    expand: Space | None = None
    reduce: Space | None = None
    select: Space | None = None
    params: dict[str, Space] = Field(default_factory=dict)


class TuneSpec(Spec):
    """`tune:`.

    Attributes:
        search: grid: everything is tried; random; bayes: what is tried follows from what was found (needs Optuna).
        metric: What is best on the folds; the first metric that the estimator gives, unless it is said.
        top: The share of rows with the highest scores, for metrics of the top (0.1).
        k: How many of the first places count, of a metric of a ranking (10).
        folds: The folds that each trial is validated on.
        params: Param of the estimator to the values to try, or a range.
        transforms: Words and params of transforms with the values to try.
        trials: How many trials at most (grid: all; else 20).
        time: No trial begins later than this after the first, such as 30m.
        patience: It stops after so many trials without a better one.
        seed: Of a random or Bayesian search (42).
        parallelism: Trials at once (4).
    """

    search: Literal["grid", "random", "bayes"] = "grid"
    metric: str | None = None
    top: Fraction | None = None
    k: Positive | None = None
    folds: FoldsSpec | None = None
    params: dict[str, Space] = Field(default_factory=dict)
    transforms: list[TunedTransform] = Field(default_factory=list)
    trials: Positive | None = None
    time: Seconds | None = None
    patience: Positive | None = None
    seed: int | None = None
    parallelism: Positive | None = None


class BacktestSpec(Spec):
    """`backtest:`.

    Attributes:
        every: How long a window is, such as 1 month or 7d; the last ends with the latest row.
        windows: How many windows (6).
        gap: So long before each window no row is fitted on; the split's, unless it is said.
    """

    every: Period
    windows: Positive | None = None
    gap: Seconds | None = None
