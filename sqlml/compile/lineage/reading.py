"""What following an expression needs: the way to what is read, and what follows columns and judges conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sqlglot import exp

from sqlml.compile.lineage.dependencies import VALUE, Bounds, Dependencies, Move, Promise, Reach
from sqlml.compile.lineage.rows import Shift
from sqlml.compile.lineage.windows import WindowCall
from sqlml.compile.queries import Query, Relation
from sqlml.compile.scopes import Analysis

Operations = tuple["Shift | tuple[Promise, ...]", "Operations | None"]
"""What happens to a value on its way out of an expression, in order: its row moves, or a condition holds."""


class Path(NamedTuple):
    """The way from an output to what it reads.

    Attributes:
        kind: how that is reached, at best.
        operations: None for none; always where time of knowledge is not judged.
    """

    kind: int
    operations: Operations | None = None

    def at_best(self, kind: int) -> Path:
        """Return this way, but reaching what it reads as `kind` or weaker."""
        return self if kind <= self.kind else Path(kind, self.operations)

    def through(self, operation: Shift | tuple[Promise, ...] | None) -> Path:
        """Return this way with one more thing that happens at its far end."""
        return Path(self.kind, (operation, self.operations)) if operation else self


ITSELF = Path(VALUE)


class Tracer(Protocol):
    """What follows columns further (see `statements`)."""

    analysis: Analysis

    def output(self, query: Query, at: int, field: str | None = None) -> Dependencies:
        """Return what an output, or a field of it, depends on."""
        ...

    def rows(self, query: Query) -> Mapping[Reach, Bounds]:
        """Return what decides which rows `query` has."""
        ...

    def unknown(self, query: Query) -> Dependencies:
        """Return that anything of what `query` reads may be meant."""
        ...

    def read(self, relation: Relation, name: str, field: str | None, path: Path, found: Dependencies) -> bool:
        """Add what a column of a relation depends on, and return whether it is a copy."""
        ...

    def move(self, path: Path) -> Move | None:
        """Return what happens on `path` to what is read at its end; None: nothing."""
        ...

    def judge(self) -> Judge | None:
        """Return what reads time of knowledge; None where it is not judged."""
        ...


class Judge(Protocol):
    """What reads conditions and rows, where time of knowledge is judged (see `judging`)."""

    def group(self, query: Query, node: exp.Expr) -> Shift:
        """Return the way from a row to those that an aggregate reads."""
        ...

    def window(self, query: Query, call: WindowCall) -> tuple[Shift, tuple[Promise, ...]]:
        """Return the way from a row to those that a window function reads, and what holds of them."""
        ...

    def where(self, query: Query | None, condition: exp.Expr) -> tuple[Promise, ...]:
        """Return what holds where a condition is true."""
        ...

    def unless(self, query: Query | None, conditions: Iterable[exp.Expr]) -> tuple[Promise, ...]:
        """Return what holds where none of the conditions is true."""
        ...

    def compared(self, query: Query | None, node: exp.Expr, is_true: bool) -> tuple[Promise, ...]:
        """Return for which sides of a comparison its result is known as soon as the other side is over."""
        ...

    def either(self, query: Query | None, conditions: Iterable[exp.Expr]) -> tuple[Promise, ...]:
        """Return for which sides of `k is null or k > m` it is known as soon as `m` is over whether one is true."""
        ...

    def elements(self, query: Query | None, node: exp.ArrayFilter) -> tuple[Promise, ...]:
        """Return what holds of the elements that `filter()` leaves of an array."""
        ...

    def counted(self, query: Query, argument: exp.Expr | None) -> Dependencies:
        """Return what decided which rows of `query` an aggregate reads, those left out where `argument` is null."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression that is being followed.

    Attributes:
        query: whose expression it is; None for the arguments of a generator.
    """

    tracer: Tracer
    query: Query | None
    found: Dependencies

    def is_copy(self, column: exp.Column) -> bool:
        """Return whether `column` has the value of one parent's column, unchanged."""
        used, targets = self.tracer.analysis.meanings.get(id(column), (0, ()))
        if used != len(column.parts) or len(targets) != 1:
            return False
        owner, name = targets[0]
        if isinstance(owner, Query):
            return self.tracer.output(owner, int(name)).is_copy
        return self.tracer.read(owner, str(name), None, ITSELF, Dependencies())

    def where(self, *conditions: exp.Expr) -> tuple[Promise, ...]:
        """Return what holds where all of `conditions` are true; nothing where time of knowledge is not judged."""
        judge = self.tracer.judge()
        return () if judge is None else sum([judge.where(self.query, condition) for condition in conditions], ())

    def unless(self, *conditions: exp.Expr) -> tuple[Promise, ...]:
        """Return what holds where none of `conditions` is true."""
        judge = self.tracer.judge()
        return () if judge is None or not conditions else judge.unless(self.query, conditions)
