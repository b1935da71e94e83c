"""What Spark itself says of its functions and operators: `spark_table.json`, made by asking it, as data.

python tests/compile/checks/regenerate.py table
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlml.compile.types.spark_types import (
    ArrayType,
    AtomicType,
    DecimalType,
    IntervalType,
    MapType,
    SparkType,
    StructType,
)


@dataclass(frozen=True, slots=True)
class SparkFunction:
    """A built-in function.

    Attributes:
        kind: `aggregate`, `window`, `generator`, `table` (rows, in FROM alone) or `scalar`.
        counts: how many arguments it takes, as far as they were tried; empty: unknown.
        is_open: whether it takes more than that.
    """

    kind: str
    counts: tuple[int, ...]
    is_open: bool

    def takes(self, count: int) -> bool:
        """Return whether it may have `count` arguments."""
        return not self.counts or count in self.counts or (self.is_open and count > max(self.counts))


@dataclass(frozen=True, slots=True)
class SparkTable:
    """What was asked of one version of Spark.

    Attributes:
        functions: by name in lower case.
        operators: name (`add`) to the kind of its left side to the kinds that it takes on its right.
        arguments: function to the kinds that each of its arguments refuses; a function that is not here is unknown.
    """

    version: str
    functions: Mapping[str, SparkFunction]
    operators: Mapping[str, Mapping[str, frozenset[str]]]
    arguments: Mapping[str, tuple[frozenset[str], ...]]

    def refuses(self, operator: str, left: SparkType | None, right: SparkType | None) -> bool:
        """Return whether Spark surely refuses an operator on two types."""
        if left is None or right is None:
            return False
        known = self.operators[operator]
        ours, theirs = kind_of(left), kind_of(right)
        return ours in known and theirs in known and theirs not in known[ours]


# The kinds that arguments were tried with, those that are written most often first.
ARGUMENT_KINDS = (
    "string", "int", "bigint", "double", "decimal", "boolean", "date", "timestamp", "array", "map", "struct",
    "timestamp_ntz", "binary", "float", "smallint", "tinyint", "interval day to second", "interval year to month",
    "variant",
)  # fmt: skip


@functools.cache
def spark_table() -> SparkTable:
    """Return the table of the Spark that this version of sqlml is made for."""
    found = json.loads(Path(__file__).with_name("spark_table.json").read_text(encoding="utf-8"))
    functions = {
        name: SparkFunction(kind, tuple(counts), is_open)
        for name, (kind, counts, is_open) in found["functions"].items()
    }
    operators = {
        name: {left: frozenset(rights.split(",") if rights else ()) for left, rights in known.items()}
        for name, known in found["operators"].items()
    }
    arguments = {
        name: tuple([frozenset(kinds.split(",") if kinds else ()) for kinds in refused])
        for name, refused in found["arguments"].items()
    }
    return SparkTable(found["version"], functions, operators, arguments)


def kind_of(given: SparkType) -> str:
    """Return a type as the table calls it: its name without its parameters."""
    if isinstance(given, AtomicType):
        return given.name
    if isinstance(given, IntervalType):
        return str(given.whole)
    return _KINDS[type(given)]


_KINDS: Mapping[type, str] = {DecimalType: "decimal", ArrayType: "array", MapType: "map", StructType: "struct"}
