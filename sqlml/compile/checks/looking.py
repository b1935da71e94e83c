"""What a check gets: an expression of a statement in; the types, the texts and the places of its parts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from sqlml.compile.checks.problem import Problem
from sqlml.compile.spans import Spans
from sqlml.compile.types.expressions import ExpressionTyper
from sqlml.compile.types.functions.call import Call
from sqlml.compile.types.spark_types import SparkType

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Looking:
    """The expressions of one scope, as the checks look at them.

    Attributes:
        text: the whole statement.
        spans: where its expressions stand.
        types: of the scope.
    """

    text: str
    spans: Spans
    types: ExpressionTyper

    def type(self, node: exp.Expr | None) -> SparkType | None:
        """Return the type of an expression; None: unknown."""
        return self.types.type_of(node)

    def arguments(self, node: exp.Expr) -> tuple[exp.Expr, ...]:
        """Return the arguments of a call."""
        return Call(node, self.types).args

    def said(self, node: exp.Expr) -> str:
        """Return an expression as messages quote it, with its type if that is known."""
        found = self.type(node)
        return self.quoted(node) if found is None else f"{self.quoted(node)} ({short(found)})"

    def quoted(self, node: exp.Expr) -> str:
        """Return the text of an expression in quotes, on one line and not too long."""
        start, end = self.spans.of(node)
        written = self.text[start:end] if self.spans.has_place(node) else node.sql(dialect="spark").lower()
        text = " ".join(written.split())
        return f"'{text}'" if len(text) <= _SHOWN else f"'{text[: _SHOWN - 1]}…'"

    def problem(self, what: str, node: exp.Expr, fix: str | None = None) -> Problem:
        """Return a problem of the whole of an expression."""
        return Problem(what, self.spans.of(node), fix)


def short(given: SparkType) -> str:
    """Return a type as messages name it: a long one without what it holds."""
    text = str(given)
    return text if len(text) <= _SHOWN else f"{text.partition('<')[0]}<…>"


Check = Callable[[Looking, exp.Expr], Iterator[Problem]]
Checks = Mapping[type[exp.Expr], Check]
"""The check of each class of expressions; a class that is not here is right."""
