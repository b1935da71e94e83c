"""What a function's rule gets: a call in a syntax tree in, its arguments and their types out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from sqlglot import exp

from sqlml.compile.types.spark_types import STRING, ArrayType, MapType, SparkType, StructType


class Types(Protocol):
    """Types the expressions of one scope."""

    def type_of(self, node: exp.Expr | None) -> SparkType | None:
        """Return the type of an expression; None: unknown."""

    def lambda_type(self, node: exp.Expr | None, parameters: Sequence[SparkType | None]) -> SparkType | None:
        """Return the type that a lambda returns for parameters of these types; None: unknown."""

    def star(self, node: exp.Expr) -> Sequence[tuple[str, SparkType | None]] | None:
        """Return the names and types of the columns that a star means; None: they are not all known."""


class Call:
    """A call of a function, or an operator.

    Attributes:
        node: its class where sqlglot knows the function, else `Anonymous`.
    """

    __slots__ = ("_args", "node", "types")

    def __init__(self, node: exp.Expr, types: Types) -> None:
        self.node = node
        self.types = types
        self._args: tuple[exp.Expr, ...] | None = None

    @property
    def args(self) -> tuple[exp.Expr, ...]:
        """All arguments, in the order of the class's slots or as they are written."""
        if self._args is None:
            self._args = tuple(_arguments(self.node))
        return self._args

    def slot(self, name: str) -> exp.Expr | None:
        """Return the argument in a slot of the node's class."""
        found = self.node.args.get(name)
        return found if isinstance(found, exp.Expr) else None

    def arg(self, at: int) -> exp.Expr | None:
        """Return an argument; None: there are fewer."""
        return self.args[at] if at < len(self.args) else None

    def type(self, at: int = 0) -> SparkType | None:
        """Return the type of an argument; None: unknown."""
        return self.types.type_of(self.arg(at))

    def all_types(self) -> list[SparkType | None]:
        """Return the types of all arguments."""
        return [self.types.type_of(arg) for arg in self.args]

    def element(self, at: int = 0) -> SparkType | None:
        """Return what the array at `at` holds; None: unknown, or no array."""
        found = self.type(at)
        return found.element if isinstance(found, ArrayType) else None

    def map(self, at: int = 0) -> MapType | None:
        """Return the type of the map at `at`; None: unknown, or no map."""
        found = self.type(at)
        return found if isinstance(found, MapType) else None

    def row(self, at: int = 0) -> StructType | None:
        """Return the struct that the array at `at` holds; None: unknown, or there is none."""
        found = self.element(at)
        return found if isinstance(found, StructType) else None

    def has_collation(self) -> bool:
        """Return whether a text among the arguments has a collation, which the result may inherit."""
        return any(str(found).startswith("string collate") for found in self.all_types())


def _arguments(node: exp.Expr) -> Iterator[exp.Expr]:
    for slot in ("expressions",) if isinstance(node, exp.Anonymous) else node.arg_types:
        value = node.args.get(slot)
        if isinstance(value, exp.Expr):
            yield value
        elif isinstance(value, list):
            yield from value


Rule = Callable[[Call], SparkType | None]
Rules = Mapping[str, Rule]


def named(rule: Rule, names: str) -> dict[str, Rule]:
    """Return one entry of a registry for each of `names`."""
    return dict.fromkeys(names.split(), rule)


def always(result: SparkType) -> Rule:
    """Return the rule of a function whose type does not depend on its arguments."""
    if result != STRING:
        return lambda call: result
    return lambda call: None if call.has_collation() else result


def same_as_first(call: Call) -> SparkType | None:
    """Return the type of the first argument."""
    return call.type(0)
