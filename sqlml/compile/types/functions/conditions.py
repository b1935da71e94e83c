"""Choices between values: the branches' types in, the type that holds them all out."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.types.coercion import common_type, wider
from sqlml.compile.types.functions.call import Call, Rule, named, same_as_first
from sqlml.compile.types.spark_types import INT, SparkType


def _case(call: Call) -> SparkType | None:
    branches = [branch.args.get("true") for branch in call.node.args.get("ifs") or ()]
    return _common(call, *branches, call.slot("default"))


def _if(call: Call) -> SparkType | None:
    return _common(call, call.slot("true"), call.slot("false"))


def _common(call: Call, *branches: exp.Expr | None) -> SparkType | None:
    return common_type([call.types.type_of(branch) for branch in branches if branch is not None])


def _any_of(call: Call) -> SparkType | None:
    return common_type(call.all_types())


def _zero_if_null(call: Call) -> SparkType | None:
    return wider(call.type(0), INT)


def _decoded(call: Call) -> SparkType | None:
    # The value, then pairs of what it may be and what that gives, then a default.
    pairs = call.args[1:]
    return _common(call, *pairs[1::2], *(pairs[-1:] if len(pairs) % 2 else ()))


RULES: dict[str, Rule] = {
    **named(_case, "case"),
    **named(_if, "if nvl2"),
    **named(_any_of, "coalesce greatest least"),
    **named(same_as_first, "nullif nullifzero"),
    **named(_zero_if_null, "zeroifnull"),
    **named(_decoded, "decodecase"),
}
