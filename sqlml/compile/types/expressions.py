"""Types expressions: a node of the syntax tree and the names it may use in, its SparkType out, None if unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.types.functions import FUNCTIONS
from sqlml.compile.types.functions.call import Call
from sqlml.compile.types.functions.collections import field_of
from sqlml.compile.types.literals import interval_type, literal_type, named_type
from sqlml.compile.types.scope import Columns, Found, TypeScope
from sqlml.compile.types.spark_types import BIGINT, BINARY, BOOLEAN, STRING, VOID, AtomicType, DecimalType, SparkType
from sqlml.compile.types.type_text import NAMES
from sqlml.compile.types.watching import Watcher

TypeQuery = Callable[[exp.Expr, TypeScope | None], Columns | None]
Star = Callable[[exp.Expr], Columns | None]

# Functions that may be written without parentheses, which makes them look like columns.
_BARE: Mapping[str, SparkType] = MappingProxyType(
    {
        "user": STRING,
        "current_user": STRING,
        "session_user": STRING,
        "current_time": AtomicType("time(6)"),
        "localtime": AtomicType("time(6)"),
        "grouping__id": BIGINT,
    }
)


class ExpressionTyper:
    """Types the expressions of one SELECT.

    Args:
        type_query: types a subquery, which may use the names of the scope given with it.
        star: returns the columns that a star means; where there can be no star, it is not needed.
        watcher: is shown the lambdas that are typed.

    Attributes:
        scope: the names that may be used.
    """

    def __init__(
        self, scope: TypeScope, type_query: TypeQuery, star: Star | None = None, watcher: Watcher | None = None
    ) -> None:
        self.scope = scope
        self._watcher = watcher
        self._type_query = type_query
        self._star = star
        self._variables: dict[str, SparkType | None] = {}
        self._known: dict[int, SparkType | None] = {}
        self._meanings: dict[int, Found] = {}

    def type_of(self, node: exp.Expr | None) -> SparkType | None:
        """Return the type of an expression; None: unknown."""
        if node is None:
            return None
        key = id(node)
        if key not in self._known:
            for inner in reversed(_left_operands(node)):
                self._known[id(inner)] = self._type(inner)
            self._known[key] = self._type(node)
        return self._known[key]

    def lambda_type(self, node: exp.Expr | None, parameters: Sequence[SparkType | None]) -> SparkType | None:
        """Return the type that a lambda returns for parameters of these types; None: unknown."""
        if not isinstance(node, exp.Lambda):
            return None
        names = [name.name.lower() for name in node.expressions]
        outer = self._variables, self._known, self._meanings
        # One lambda may be typed for several types of its parameters.
        self._variables = {**self._variables, **dict(zip(names, parameters, strict=False))}
        self._known, self._meanings = {}, {}
        try:
            if self._watcher is not None:
                self._watcher.see_expression(node.this, self)
            return self.type_of(node.this)
        finally:
            self._variables, self._known, self._meanings = outer

    def star(self, node: exp.Expr) -> list[tuple[str, SparkType | None]] | None:
        """Return the names and types of the columns that a star means; None: they are not all known."""
        columns = self._star(node) if self._star is not None else None
        if columns is None or any(column.name is None for column in columns):
            return None
        return [(column.name or "", column.type) for column in columns]

    def _type(self, node: exp.Expr) -> SparkType | None:
        special = _SPECIAL.get(type(node))
        if special is not None:
            return special(self, node)
        rule = FUNCTIONS.get(node.key)
        return None if rule is None else rule(Call(node, self))

    def column(self, node: exp.Expr) -> SparkType | None:
        """Return the type of a column, a field of one, or a lambda's parameter."""
        parts = [part.name for part in node.parts] if isinstance(node, exp.Column) else [node.name]
        meant = self._meaning(node, parts)
        if meant is None:
            return _BARE.get(parts[0].lower()) if len(parts) == 1 else None
        found = meant.type
        for name in parts[meant.parts :]:
            found = field_of(found, name)
        return found

    def named(self, node: exp.Column) -> Found | None:
        """Return what the first parts of a column's name mean, without its fields; None: nothing."""
        return self._meanings.get(id(node)) or self._meaning(node, [part.name for part in node.parts])

    def _meaning(self, node: exp.Expr, parts: Sequence[str]) -> Found | None:
        first = parts[0].lower()
        found = Found(self._variables[first]) if first in self._variables else self.scope.named(parts)
        if found is not None:
            self._meanings[id(node)] = found
        return found

    def is_bare_function(self, node: exp.Expr) -> bool:
        """Return whether what looks like a column is a function, whose column Spark names its own way."""
        return isinstance(node, exp.Column) and node.name.lower() in _BARE and self.scope.find([node.name]) is None

    def subquery(self, node: exp.Expr) -> SparkType | None:
        """Return the type of a subquery's one column."""
        columns = self._type_query(node, self.scope)
        return columns[0].type if columns and len(columns) == 1 else None


def _left_operands(node: exp.Expr) -> list[exp.Expr]:
    """Return the operations on the left of an operation, outermost first.

    A long sum nests on the left, deeper than Python's stack: its parts are typed from the inside.
    """
    found: list[exp.Expr] = []
    while isinstance(node, exp.Binary) and isinstance(node.this, exp.Binary):
        node = node.this
        found.append(node)
    return found


def _anonymous(typer: ExpressionTyper, node: exp.Expr) -> SparkType | None:
    name = node.name.lower()
    rule = FUNCTIONS.get(name)
    if rule is not None:
        return rule(Call(node, typer))
    if len(node.expressions) == 1:
        # Spark has a function of each simple type's name, which casts.
        return DecimalType(10, 0) if name == "decimal" else NAMES.get(name)
    return None


def _negated(typer: ExpressionTyper, node: exp.Expr) -> SparkType | None:
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        return literal_type(node.this, sign=-1)
    return FUNCTIONS["neg"](Call(node, typer))


def _dot(typer: ExpressionTyper, node: exp.Expr) -> SparkType | None:
    if not isinstance(node.expression, exp.Identifier):
        return None
    return field_of(typer.type_of(node.this), node.expression.name)


def _inner(typer: ExpressionTyper, node: exp.Expr) -> SparkType | None:
    return typer.type_of(node.this)


def _distinct(typer: ExpressionTyper, node: exp.Expr) -> SparkType | None:
    return typer.type_of(node.expressions[0]) if node.expressions else None


def _constant(given: SparkType) -> Callable[[ExpressionTyper, exp.Expr], SparkType | None]:
    return lambda typer, node: given


_SPECIAL: Mapping[type[exp.Expr], Callable[[ExpressionTyper, exp.Expr], SparkType | None]] = MappingProxyType(
    {
        exp.Column: ExpressionTyper.column,
        exp.Identifier: ExpressionTyper.column,
        exp.Subquery: ExpressionTyper.subquery,
        exp.Select: ExpressionTyper.subquery,
        exp.Union: ExpressionTyper.subquery,
        exp.Except: ExpressionTyper.subquery,
        exp.Intersect: ExpressionTyper.subquery,
        exp.Anonymous: _anonymous,
        exp.Neg: _negated,
        exp.Dot: _dot,
        exp.Literal: lambda typer, node: literal_type(node) if isinstance(node, exp.Literal) else None,
        exp.Interval: lambda typer, node: interval_type(node.args.get("unit")),
        exp.Cast: lambda typer, node: named_type(node.args.get("to")),
        exp.TryCast: lambda typer, node: named_type(node.args.get("to")),
        exp.Boolean: _constant(BOOLEAN),
        exp.Null: _constant(VOID),
        exp.HexString: _constant(BINARY),
        exp.RawString: _constant(STRING),
        exp.Distinct: _distinct,
        exp.Paren: _inner,
        exp.Alias: _inner,
        exp.Window: _inner,
        exp.Filter: _inner,
        exp.IgnoreNulls: _inner,
        exp.RespectNulls: _inner,
        exp.HavingMax: _inner,
        exp.Order: _inner,
        exp.Limit: _inner,
    }
)
