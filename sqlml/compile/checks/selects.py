"""What is wrong in a SELECT as a whole: ordinals that lead nowhere, subqueries of several columns, sets that differ.

Before: `select carrier, count(*) as n from t group by 3 order by 4`.
After:  "groups by column 3, and selects 2", "sorts by column 4, and returns 2".
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlml.compile.checks.aggregates import grouped_by
from sqlml.compile.checks.calls import kind_of_call
from sqlml.compile.checks.looking import Looking, short
from sqlml.compile.checks.operators import NO_ORDER, can_meet, can_order
from sqlml.compile.checks.problem import Problem
from sqlml.compile.spans import Spans
from sqlml.compile.types.functions.collections import is_star
from sqlml.compile.types.generators import GENERATORS, function_name
from sqlml.compile.types.scope import Columns
from sqlml.compile.types.spark_types import VARIANT, MapType


def check_ordinals(looking: Looking, tree: exp.Expr, columns: Columns | None) -> Iterator[Problem]:
    """Yield the ordinals of ORDER BY and GROUP BY that are no column's."""
    order, group = tree.args.get("order"), tree.args.get("group")
    for entry in order.expressions if order is not None and columns is not None else ():
        number = _number(entry.this if isinstance(entry, exp.Ordered) else entry)
        if number is not None and columns is not None and not 0 < number <= len(columns):
            what = f"sorts by column {number}, and returns {len(columns)}"
            yield looking.problem(what, entry, "name what to sort by")
    if group is None or any(is_star(item) or _is_generator(item) for item in tree.expressions):
        return
    for entry in grouped_by(group):
        number = _number(entry)
        if number is None:
            continue
        if not 0 < number <= len(tree.expressions):
            what = f"groups by column {number}, and selects {len(tree.expressions)}"
            yield looking.problem(what, entry, "name what to group by")
        else:
            item = tree.expressions[number - 1].unalias()
            if kind_of_call(item, looking.text) == "aggregate":
                what = f"groups by column {number}, which is the aggregate {looking.quoted(item)}"
                yield looking.problem(what, entry, "group by the other columns")


def _number(node: exp.Expr) -> int | None:
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    is_number = isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()
    return int(node.name) if is_number else None


def _is_generator(item: exp.Expr) -> bool:
    return isinstance(item, exp.Aliases) or function_name(item.unalias()) in GENERATORS


def check_sorts(looking: Looking, tree: exp.Expr) -> Iterator[Problem]:
    """Yield what ORDER BY sorts by though it has no order."""
    order = tree.args.get("order")
    for entry in order.expressions if order is not None else ():
        node = entry.this if isinstance(entry, exp.Ordered) else entry
        found = looking.type(node)
        if found is not None and not can_order(found):
            yield looking.problem(f"sorts by {looking.said(node)}, whose values have no order", node, NO_ORDER)


def check_distinct(looking: Looking, tree: exp.Select, columns: Columns | None) -> Iterator[Problem]:
    """Yield the output of a SELECT DISTINCT that Spark cannot compare."""
    distinct = tree.args.get("distinct")
    if distinct is None or distinct.args.get("on") is not None:
        return
    for column in columns or ():
        if isinstance(column.type, MapType) or column.type == VARIANT:
            what = f"has SELECT DISTINCT of '{column.name}' ({short(column.type)}), whose values cannot be compared"
            yield looking.problem(what, tree.expressions[0], "leave it out, or take single values of it")
            return


def check_set_operation(
    spans: Spans, tree: exp.SetOperation, left: Columns | None, right: Columns | None
) -> Iterator[Problem]:
    """Yield the first column of a set operation whose types do not fit one another."""
    if left is None or right is None or len(left) != len(right) or tree.args.get("by_name"):
        return
    for at, (ours, theirs) in enumerate(zip(left, right, strict=True), 1):
        if not can_meet(ours.type, theirs.type):
            name = f"'{ours.name}'" if ours.name else f"column {at}"
            operation = type(tree).__name__.upper()
            article = "a" if operation == "UNION" else "an"
            what = f"has {article} {operation} of {name}: {short(ours.type)} and {short(theirs.type)}"  # type: ignore[arg-type]
            yield Problem(what, spans.of(_item(tree.expression, at)), "cast one side to the type of the other")
            return


def _item(tree: exp.Expr, at: int) -> exp.Expr:
    """Return the entry of the SELECT list that makes an output, if one does; else the query."""
    while isinstance(tree, exp.Subquery | exp.SetOperation):
        tree = tree.this
    items = tree.expressions if isinstance(tree, exp.Select) else []
    if len(items) >= at and not any(is_star(item) or _is_generator(item) for item in items):
        found: exp.Expr = items[at - 1]
        return found
    return tree
