"""Who looks on while a query is typed: each clause goes by with what can tell the types of all that is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sqlglot import exp

from sqlml.compile.types.scope import Columns
from sqlml.compile.types.spark_types import SparkType

if TYPE_CHECKING:
    from sqlml.compile.types.expressions import ExpressionTyper


class Watcher(Protocol):
    """Is shown the parts of a statement, each once but for the bodies of lambdas."""

    def see_select(
        self, tree: exp.Select, types: ExpressionTyper, sorted_types: ExpressionTyper, columns: Columns | None
    ) -> None:
        """Look at a SELECT: its clauses after FROM, those that sort with `sorted_types`, and what it returns."""

    def see_set_operation(self, tree: exp.SetOperation, left: Columns | None, right: Columns | None) -> None:
        """Look at what a set operation puts together."""

    def see_sorted(self, tree: exp.SetOperation, types: ExpressionTyper, columns: Columns | None) -> None:
        """Look at the ORDER BY of a set operation, and what it returns."""

    def see_expression(self, node: exp.Expr, types: ExpressionTyper) -> None:
        """Look at an expression in a FROM clause, or the body of a lambda."""

    def see_condition(self, node: exp.Expr, types: ExpressionTyper) -> None:
        """Look at the ON of a join."""

    def see_keys(self, node: exp.Expr, left: SparkType | None, right: SparkType | None) -> None:
        """Look at a column of USING and its types on both sides."""
