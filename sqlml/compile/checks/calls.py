"""Which functions a statement calls, by the names that the user wrote."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.checks.spark_table import spark_table

# What sqlglot reads with a grammar of its own, and then keeps no name of.
_NAMES: Mapping[type[exp.Expr], str] = MappingProxyType(
    {
        exp.ApproxQuantile: "approx_percentile",
        exp.ArgMax: "max_by",
        exp.ArgMin: "min_by",
        exp.GroupConcat: "listagg",
        exp.LogicalOr: "bool_or",
        exp.PercentileCont: "percentile_cont",
        exp.Quantile: "percentile",
    }
)


def name_of(node: exp.Expr, text: str) -> str:
    """Return the name of a called function in lower case, as it is written in `text`; empty if that is not known."""
    start = node.meta.get("start")
    if start is None or not isinstance(node, exp.Func):
        return _NAMES.get(type(node), "")
    return text[start : node.meta["end"] + 1].strip("`").lower()


def kind_of_function(name: str) -> str:
    """Return the kind of a function by its name in lower case (see `SparkFunction`); empty if Spark has none."""
    found = spark_table().functions.get(name)
    return "" if found is None else found.kind


def kind_of_call(node: exp.Expr, text: str) -> str:
    """Return the kind of the function that `node` calls (see `SparkFunction`); empty if it calls none."""
    return kind_of_function(name_of(node, text))
