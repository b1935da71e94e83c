"""Functions that Spark does not have, or not with so many arguments: a call in, what Spark would refuse out.

Before: `select uper(name) as a, round(x, 1, 2) as b from t`.
After:  "calls 'uper', which Spark 4.3 does not have" (a warning) and "calls round() with 3 arguments; it takes 1 or 2".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sqlml.compile.checks.arguments import check_arguments
from sqlml.compile.checks.counts import WITH_UNIT, wrong_count
from sqlml.compile.checks.looking import Looking
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.spark_table import spark_table
from sqlml.compile.spans import Spans

UNKNOWN = "S006"

# Spark's grammar has these calls, whether or not there are functions of their names.
_GRAMMAR = frozenset(
    {*WITH_UNIT, "cast", "try_cast", "extract", "identifier", "any", "some", "exists", "values", "all"}
)
# sqlglot reads these by a grammar of their own, which Spark does not have.
_OTHERS = frozenset(
    {
        "argmax", "argmin", "arg_max", "arg_min", "convert", "json_object", "json_objectagg", "json_table", "openjson",
        "safe_cast", "try_convert", "xmlelement",
    }
)  # fmt: skip
# Of these it keeps no place.
_PLACELESS = frozenset(
    {
        "approx_percentile", "ceil", "char", "chr", "cume_dist", "element_at", "floor", "from_utc_timestamp", "if",
        "initcap", "lag", "lead", "max_by", "min_by", "mod", "nth_value", "ntile", "percentile", "percentile_approx",
        "row_number", "shiftleft", "shiftright", "substr", "substring", "to_utc_timestamp", "trim", "try_element_at",
    }
)  # fmt: skip
# What other dialects call it.
_SPARKS_NAME: Mapping[str, str] = MappingProxyType(
    {
        "arg_max": "max_by",
        "arg_min": "min_by",
        "argmax": "max_by",
        "argmin": "min_by",
        "convert": "cast(… as …)",
        "generate_series": "sequence",
        "getdate": "current_timestamp",
        "group_concat": "listagg",
        "isnumeric": "try_cast(… as double) is not null",
        "json_extract": "get_json_object",
        "len": "length",
        "list": "collect_list",
        "safe_cast": "try_cast(… as …)",
        "safe_divide": "try_divide",
        "strftime": "date_format",
        "string_to_array": "split",
        "to_json_string": "to_json",
        "try_convert": "try_cast(… as …)",
        "unnest": "explode",
    }
)


def check_function(looking: Looking, node: exp.Expr, name: str) -> Iterator[Problem]:
    """Yield what is wrong with the name, or the number of arguments, of a function called by `name`."""
    if "start" not in node.meta or isinstance(node.parent, exp.Dot):
        return
    if name not in spark_table().functions:
        if name not in _GRAMMAR:
            yield unknown(name, looking.spans.name(node))
        return
    count = looking.spans.count_arguments(node)
    wrong = None if count is None else wrong_count(name, count)
    if wrong is not None:
        yield looking.problem(wrong[0], node, wrong[1])
    elif count != 3 or name not in WITH_UNIT:
        yield from check_arguments(looking, node, name)


def unknown(name: str, span: tuple[int, int]) -> Problem:
    """Return the warning about a function that Spark does not have."""
    other = _SPARKS_NAME.get(name)
    near = difflib.get_close_matches(name, spark_table().functions, n=2, cutoff=0.7)
    fix = f"Spark calls it {other}" if other else None
    if near and fix is None:
        fix = "did you mean " + " or ".join(f"'{match}'" for match in near) + "?"
    what = f"calls '{name}', which Spark {spark_table().version} does not have"
    return Problem(what, span, fix or "see Spark's list of built-in functions", UNKNOWN)


def placeless_calls(tokens: Sequence[Token], spans: Spans) -> Iterator[Problem]:
    """Yield the wrong calls that are in no syntax tree by their names: those that sqlglot reads its own way."""
    for at, name in enumerate([token.text.lower() for token in tokens[:-1]]):
        is_foreign = name in _OTHERS
        if not is_foreign and name not in _PLACELESS:
            continue
        token = tokens[at]
        before = tokens[at - 1].token_type if at else None
        is_call = tokens[at + 1].token_type is TokenType.L_PAREN and token.token_type is not TokenType.STRING
        if not is_call or before in (TokenType.ALIAS, TokenType.DOT):
            continue
        if is_foreign:
            yield unknown(name, (token.start, token.end + 1))
            continue
        count = spans.count_behind(at)
        wrong = None if count is None else wrong_count(name, count)
        if wrong is not None:
            yield Problem(wrong[0], spans.call(at), wrong[1])
