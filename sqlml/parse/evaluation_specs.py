"""The grammar of what an ML model is measured by: slices, learnt thresholds and weights of classes."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sqlml.parse.relation_specs import ColumnSpec
from sqlml.parse.value_types import Column, describe, refuse, spelled

_COSTS = ("false_positive", "false_negative")
_THRESHOLD_FIX = "write a share such as 0.4, {maximize: f1}, or {cost: {false_positive: 1, false_negative: 5}}"
_WEIGHTS_FIX = "write balanced, or a weight above 0 for each value of the label, as in {true: 5, false: 1}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_threshold(value: Any) -> Any:
    if _is_number(value):
        if not 0 < value < 1:
            fix = f"write it as a share: {value / 100:g}" if 2 <= value < 100 else "write a share such as 0.2"
            raise refuse(f"must lie between 0 and 1, not {describe(value)}", fix)
        return float(value)
    if isinstance(value, dict) and set(value) == {"maximize"} and isinstance(value["maximize"], str):
        return value
    if isinstance(value, dict) and set(value) == {"cost"} and isinstance(value["cost"], dict):
        costs = value["cost"]
        if set(costs) == set(_COSTS) and all(_is_number(cost) and cost > 0 for cost in costs.values()):
            return value
        raise refuse(f"needs a cost above 0 for {' and for '.join(_COSTS)}", _THRESHOLD_FIX)
    raise refuse(f"must be a number, {{maximize: …}} or {{cost: …}}, not {describe(value)}", _THRESHOLD_FIX)


def _check_weights(value: Any) -> Any:
    if value == "balanced":
        return value
    if not isinstance(value, dict) or not value:
        raise refuse(f"must be balanced or a mapping, not {describe(value)}", _WEIGHTS_FIX)
    for label, weight in value.items():
        if not _is_number(weight) or weight <= 0:
            raise refuse(f"has no weight above 0 for '{label}', but {describe(weight)}", _WEIGHTS_FIX)
    return {label: float(weight) for label, weight in value.items()}


_SHARE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_COST = {"type": "number", "exclusiveMinimum": 0}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


Threshold = Annotated[
    Any,
    AfterValidator(_check_threshold),
    spelled(
        anyOf=[
            _SHARE,
            _closed({"maximize": {"type": "string"}}),
            _closed({"cost": _closed(dict.fromkeys(_COSTS, _COST))}),
        ]
    ),
]
ClassWeights = Annotated[
    Any,
    AfterValidator(_check_weights),
    spelled(anyOf=[{"const": "balanced"}, {"type": "object", "additionalProperties": _COST, "minProperties": 1}]),
]


class SliceEntry(ColumnSpec):
    """An entry of `slices:`, a column or a condition with a name.

    Attributes:
        column: A column: each of its values is a part of the rows.
        name: A name for the rows that meet a condition.
        where: The SQL condition.
    """

    column: Column | None = None
    name: Annotated[str, Field(min_length=1)] | None = None
    where: str | None = None
