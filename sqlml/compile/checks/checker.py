"""Checks a statement while it is typed: its tree and what it reads in; its columns, and what Spark would refuse, out.

Each kind of mistake is a module of its own, and each class of expressions an entry of its `CHECKS`. What is not surely
wrong is right: an unknown type fits everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.checks import branches, fields, operators, windows
from sqlml.compile.checks.aggregates import check_aggregates, misplaced
from sqlml.compile.checks.functions import check_function, placeless_calls
from sqlml.compile.checks.looking import Check, Looking
from sqlml.compile.checks.operators import can_compare
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.selects import check_distinct, check_ordinals, check_set_operation, check_sorts
from sqlml.compile.checks.windows import check_call
from sqlml.compile.spans import Spans
from sqlml.compile.sql import Statement
from sqlml.compile.types.expressions import ExpressionTyper
from sqlml.compile.types.queries import ColumnsOf, type_query
from sqlml.compile.types.scope import Columns
from sqlml.compile.types.spark_types import SparkType

_CHECKS: MappingProxyType[type[exp.Expr], Check] = MappingProxyType(
    {**operators.CHECKS, **branches.CHECKS, **fields.CHECKS, **windows.CHECKS}
)
_SORTS = ("order", "sort", "cluster", "distribute")
_OTHERS = ("group", "qualify", "limit", "offset")


def check_statement(
    statement: Statement, spans: Spans, columns_of: ColumnsOf
) -> tuple[Columns | None, tuple[Problem, ...]]:
    """Return the columns of a statement with their types, None if they are not all known, and what is wrong in it."""
    checker = _Checker(statement, spans)
    checker.note(statement.miscounted)
    columns = type_query(statement.tree, columns_of, checker)
    checker.note(placeless_calls(statement.tokens, spans))
    return columns, tuple(checker.problems)


class _Checker:
    """Fulfils `Watcher`.

    Attributes:
        problems: in the order in which they were found, without repeats.
    """

    def __init__(self, statement: Statement, spans: Spans) -> None:
        self.problems: dict[Problem, None] = {}
        self._text = statement.text
        self._spans = spans

    def note(self, found: Iterable[Problem]) -> None:
        """Keep what was found."""
        self.problems.update(dict.fromkeys(found))

    def see_select(
        self, tree: exp.Select, types: ExpressionTyper, sorted_types: ExpressionTyper, columns: Columns | None
    ) -> None:
        """Check the clauses of a SELECT."""
        looking = self._looking(types)
        for item in tree.expressions:
            self.see_expression(item, types)
        for name in _OTHERS:
            self._see(tree.args.get(name), types)
        for window in tree.args.get("windows") or ():
            self._see(window, types)
        where, having = tree.args.get("where"), tree.args.get("having")
        if where is not None:
            self._see(where.this, types)
            self.note(branches.condition(looking, where.this, "a WHERE of"))
        if having is not None:
            self._see(having.this, types)
        self._see_sorts(tree, sorted_types, columns)
        self.note(check_aggregates(looking, tree))
        self.note(check_distinct(looking, tree, columns))

    def see_set_operation(self, tree: exp.SetOperation, left: Columns | None, right: Columns | None) -> None:
        """Check the types on both sides."""
        self.note(check_set_operation(self._spans, tree, left, right))

    def see_sorted(self, tree: exp.SetOperation, types: ExpressionTyper, columns: Columns | None) -> None:
        """Check what a set operation is sorted by."""
        self._see_sorts(tree, types, columns)

    def _see_sorts(self, tree: exp.Expr, types: ExpressionTyper, columns: Columns | None) -> None:
        looking = self._looking(types)
        for name in _SORTS:
            self._see(tree.args.get(name), types)
        self.note(check_sorts(looking, tree))
        self.note(check_ordinals(looking, tree, columns))

    def see_condition(self, node: exp.Expr, types: ExpressionTyper) -> None:
        """Check the ON of a join."""
        self.see_expression(node, types)
        looking = self._looking(types)
        self.note(branches.condition(looking, node, "an ON of"))
        self.note(misplaced(looking, node, "ON", "compute it in a CTE first"))

    def see_keys(self, node: exp.Expr, left: SparkType | None, right: SparkType | None) -> None:
        """Check a column that USING compares."""
        if not can_compare(left, right):
            what = f"joins using '{node.name}', which is {left} on one side and {right} on the other"
            self.note([Problem(what, self._spans.of(node), "cast one side to the type of the other")])

    def see_expression(self, node: exp.Expr, types: ExpressionTyper) -> None:
        """Check an expression and all that is in it, but for the bodies of lambdas, which are shown by themselves."""
        looking = self._looking(types)
        stack = [node]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Query):
                types.type_of(node)
                continue
            check = _CHECKS.get(type(node))
            if check is not None:
                self.note(check(looking, node))
            if isinstance(node, exp.Func):
                self.note(check_function(looking, node))
                self.note(check_call(looking, node))
            if not isinstance(node, exp.Lambda):
                stack.extend(node.iter_expressions())
            else:
                types.type_of(node.parent)

    def _see(self, node: exp.Expr | None, types: ExpressionTyper) -> None:
        if node is not None:
            self.see_expression(node, types)

    def _looking(self, types: ExpressionTyper) -> Looking:
        return Looking(self._text, self._spans, types)
