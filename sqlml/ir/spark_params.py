"""The params of Spark ML's classes: a class name in, each param's type, limits, default and Spark's own words out.

`spark_params.json` is written from Spark itself by `tools/make_spark_params.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What a value must keep beyond its type; what is not given does not limit.

    Attributes:
        at_least, above, at_most, below: bounds of a number.
        also: numbers outside of the bounds that are taken too.
        values: the texts that are taken.
        ignore_case: whether the texts are taken in any case.
        min_items: the fewest items of a list.
        each: what each item of a list must keep.
        rule: name of what no bound says: `increasing`, `distinct`, `distinct_names`, `at_most_one_zero`,
            `count_or_share`, `locale`.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    also: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    ignore_case: bool = False
    min_items: int = 0
    each: Limits | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class SparkParam:
    """A param of a class of Spark ML.

    Attributes:
        type: `int` (32 bits), `long` (64 bits), `float`, `boolean`, `string`, `vector`, `matrix`, `list`,
            `list of int`, `list of float`, `list of string`, `list of list of float` or `any`.
        default: Spark's; None where it has none or it says nothing (a seed's).
        doc: Spark's own words.
    """

    name: str
    type: str
    limits: Limits
    default: Any = None
    doc: str = ""

    @property
    def is_column(self) -> bool:
        """Whether it names columns, which roles do here."""
        return self.name.endswith(("Col", "Cols"))


@cache
def spark_params(stage: str) -> Mapping[str, SparkParam]:
    """Return the params of a Spark ML class by name; empty for a class that Spark ML does not have."""
    return {name: _read(name, entry) for name, entry in _table().get(stage, {}).items()}


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    text = resources.files("sqlml.ir").joinpath("spark_params.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return table


def _read(name: str, entry: Mapping[str, Any]) -> SparkParam:
    rest = {key: value for key, value in entry.items() if key not in ("type", "default", "doc")}
    return SparkParam(name, entry["type"], _read_limits(rest), entry.get("default"), entry["doc"])


def _read_limits(entry: Mapping[str, Any]) -> Limits:
    given = dict(entry)
    if "each" in given:
        given["each"] = _read_limits(given["each"])
    given |= {key: tuple(given[key]) for key in ("also", "values") if key in given}
    return Limits(**given)
