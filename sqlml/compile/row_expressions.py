"""Checks SQL of one value of one row, such as `expr:`: its text in, what makes it anything else out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from sqlml.compile.checks.checker import check_statement
from sqlml.compile.determinism import find_unstable
from sqlml.compile.readable import Readable
from sqlml.compile.scopes import analyze
from sqlml.compile.spans import Spans
from sqlml.compile.sql import Statement, parse_statement
from sqlml.compile.types import SparkType, parse_type
from sqlml.compile.types.generators import GENERATORS, function_name
from sqlml.compile.types.queries import type_query
from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.location import SourceLocation

# The expression is read as the only entry of a SELECT list over this relation.
_RELATION = "training"
_FRAME = ("select (", f"\n) as made from {_RELATION}")

# Aggregates that sqlglot has no class for, or not one of an aggregate.
_AGGREGATES = frozenset(
    {
        "any", "bitmap_and_agg", "collect_union", "count_min_sketch", "every", "histogram_numeric", "hll_sketch_agg",
        "hll_union_agg", "kll_merge_agg_bigint", "kll_merge_agg_double", "kll_merge_agg_float", "kll_sketch_agg_bigint",
        "kll_sketch_agg_double", "kll_sketch_agg_float", "mean", "measure", "some", "std", "theta_intersection_agg",
        "theta_sketch_agg", "theta_union_agg", "try_avg", "try_sum", "tuple_intersection_agg_double",
        "tuple_intersection_agg_integer", "tuple_sketch_agg_double", "tuple_sketch_agg_integer",
        "tuple_union_agg_double", "tuple_union_agg_integer",
    }
)  # fmt: skip
_FIX = "compute it in the SQL model, or write SQL of one value of one row"


def check_expression(
    sql: str, column: str, given: SparkType | None, what: str, place: SourceLocation
) -> Iterator[SqlmlError]:
    """Yield what keeps `sql` from being an expression over one row's value of `column`.

    Args:
        sql: the expression.
        column: the only name that it may use.
        given: its type; None: unknown.
        what: whose SQL it is, for errors (`expr: of 'x' of ml model 'm'`).
        place: of the whole expression.
    """
    try:
        statement = _read(sql, what, place)
    except SqlmlError as error:
        yield error
        return
    if not _is_one_entry(statement):
        yield CompileError(f"{what} is not one expression", place, "write what gives one value, and no more")
        return
    unfit = _find_unfit(statement)
    if unfit is not None:
        yield CompileError(f"{what} {unfit}", place, _FIX)
        return
    readable = {_RELATION: Readable(_RELATION, column, (column,))}
    for wrong in analyze(statement, readable, what, _at(place)).errors:
        used = wrong.what.partition(", which ")[0]
        fix = "write {column} for the column; compute what needs several columns in the SQL model"
        yield CompileError(f"{used}, and may use '{column}' alone", wrong.location, fix)
    types = {_RELATION: {column: given}}
    for found in check_statement(statement, Spans(statement.tokens), types.get)[1]:
        if not found.code:
            yield CompileError(f"{what} {found.what}", place, found.fix)


def expression_type(sql: str, column: str, data_type: str) -> str | None:
    """Return the Spark type of an expression over `column`, which is of type `data_type`; None: unknown."""
    place = SourceLocation("", 0)
    try:
        statement = _read(sql, "expr:", place)
    except SqlmlError:
        return None
    columns = type_query(statement.tree, lambda name: {column: parse_type(data_type)} if name == _RELATION else None)
    found = columns[0].type if columns and len(columns) == 1 else None
    return None if found is None else str(found)


def _read(sql: str, what: str, place: SourceLocation) -> Statement:
    return parse_statement(f"{_FRAME[0]}{sql}{_FRAME[1]}", what, _at(place))


def _at(place: SourceLocation) -> Callable[..., SourceLocation]:
    return lambda *offsets: place


def _is_one_entry(statement: Statement) -> bool:
    tree = statement.tree
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        return False
    (entry,) = tree.expressions
    is_framed = isinstance(entry, exp.Alias) and isinstance(entry.this, exp.Paren | exp.Subquery)
    return is_framed and {key for key, value in tree.args.items() if value} == {"expressions", "from_"}


def _find_unfit(statement: Statement) -> str | None:
    """Return what in a statement is not of one row, or changes from day to day; None: nothing."""
    (entry,) = statement.tree.expressions
    for node in entry.walk():
        name = function_name(node)
        if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
            return "has a query inside, and is computed of one row"
        if isinstance(node, exp.Window):
            return "has a window, and is computed of one row"
        if isinstance(node, exp.AggFunc) or name in _AGGREGATES:
            return f"calls '{name}', an aggregate, and is computed of one row"
        if isinstance(node, exp.UDTF) or name in GENERATORS:
            return f"calls '{name}', which makes rows, and is computed of one row"
        if isinstance(node, exp.Star):
            return "has a *, and is computed of one column"
    token = next(iter(find_unstable(statement)), None)
    return None if token is None else f"calls '{token.text}', whose value is not the same in training and prediction"
