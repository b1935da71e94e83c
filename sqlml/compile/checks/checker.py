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
from sqlml.compile.checks.calls import name_of
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
        for problem in found:
            self.problems.setdefault(problem)

    def see_select(
        self, tree: exp.Select, types: ExpressionTyper, sorted_types: ExpressionTyper, columns: Columns | None
    ) -> None:
        """Check the clauses of a SELECT."""
        looking = self._looking(types)
        for item in tree.expressions:
            self._look(looking, item)
        for name in _OTHERS:
            self._look(looking, tree.args.get(name))
        for window in tree.args.get("windows") or ():
            self._look(looking, window)
        where, having = tree.args.get("where"), tree.args.get("having")
        if where is not None:
            self._look(looking, where.this)
            self.note(branches.condition(looking, where.this, "a WHERE of"))
        if having is not None:
            self._look(looking, having.this)
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
            self._look(looking, tree.args.get(name))
        self.note(check_sorts(looking, tree))
        self.note(check_ordinals(looking, tree, columns))

    def see_condition(self, node: exp.Expr, types: ExpressionTyper) -> None:
        """Check the ON of a join."""
        looking = self._looking(types)
        self._look(looking, node)
        self.note(branches.condition(looking, node, "an ON of"))
        self.note(misplaced(looking, node, "ON", "compute it in a CTE first"))

    def see_keys(self, node: exp.Expr, left: SparkType | None, right: SparkType | None) -> None:
        """Check a column that USING compares."""
        if not can_compare(left, right):
            what = f"joins using '{node.name}', which is {left} on one side and {right} on the other"
            self.note([Problem(what, self._spans.of(node), "cast one side to the type of the other")])

    def see_expression(self, node: exp.Expr, types: ExpressionTyper) -> None:
        """Check an expression and all that is in it, but for the bodies of lambdas, which are shown by themselves."""
        self._look(self._looking(types), node)

    def _look(self, looking: Looking, node: exp.Expr | None) -> None:
        stack = [] if node is None else [node]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Query):
                looking.types.type_of(node)
                continue
            check = _CHECKS.get(type(node))
            if check is not None:
                self.note(check(looking, node))
            if isinstance(node, exp.Func) and (name := name_of(node, looking.text)):
                self.note(check_function(looking, node, name))
                self.note(check_call(looking, node, name))
            if isinstance(node, exp.Lambda):
                looking.types.type_of(node.parent)
            elif not isinstance(node, exp.Column):
                stack.extend(node.iter_expressions())

    def _looking(self, types: ExpressionTyper) -> Looking:
        return Looking(self._text, self._spans, types)
