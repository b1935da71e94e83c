"""Functions that make rows and columns: a call in, its columns with their types out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from sqlml.compile.types.coercion import common_type
from sqlml.compile.types.functions.call import Call, Types
from sqlml.compile.types.literals import constant_integer
from sqlml.compile.types.scope import Columns, OutputColumn
from sqlml.compile.types.spark_types import (
    BIGINT,
    INT,
    STRING,
    VARIANT,
    ArrayType,
    MapType,
    SparkType,
    StructType,
)

_EXPLODES = ("explode", "explode_outer", "explodeouter", "_explodeouter")
_POSITIONED = ("posexplode", "posexplode_outer", "posexplodeouter", "_posexplodeouter")
_INLINES = ("inline", "inline_outer", "inlineouter")
_STACKS = ("stack",)
_TUPLES = ("json_tuple", "jsontuple")
_VARIANTS = ("variant_explode", "variant_explode_outer")
GENERATORS = frozenset((*_EXPLODES, *_POSITIONED, *_INLINES, *_STACKS, *_TUPLES, *_VARIANTS))


def function_name(node: exp.Expr) -> str:
    """Return a call's name as the registries have it."""
    return node.name.lower() if isinstance(node, exp.Anonymous) else node.key


def generated_columns(node: exp.Expr, types: Types) -> Columns | None:
    """Return the columns that a generator makes; None: they are not all known."""
    name = function_name(node)
    if isinstance(node.args.get("this"), exp.Kwarg):
        # `explode(collection => x)`
        return _rows(name, types.type_of(node.this.expression))
    call = Call(node, types)
    if name in (*_EXPLODES, *_POSITIONED, *_INLINES):
        return _rows(name, call.type(0))
    if name in _STACKS:
        return _stacked(call)
    if name in _TUPLES:
        return tuple([OutputColumn(f"c{at}", STRING) for at in range(len(call.args) - 1)])
    if name in _VARIANTS:
        return (OutputColumn("pos", INT), OutputColumn("key", STRING), OutputColumn("value", VARIANT))
    return (OutputColumn("id", BIGINT),) if name == "range" else None


def renamed(columns: Columns | None, names: Sequence[str]) -> Columns | None:
    """Return the columns under new names; where the old ones are unknown, their types are."""
    if not names:
        return columns
    if columns is None or len(columns) != len(names):
        return tuple([OutputColumn(name, None) for name in names])
    return tuple([OutputColumn(name, column.type) for name, column in zip(names, columns, strict=True)])


def _rows(name: str, given: SparkType | None) -> Columns | None:
    if name in _INLINES:
        return _inlined(given)
    columns = _exploded(given)
    if name in _POSITIONED and columns is not None:
        return (OutputColumn("pos", INT), *columns)
    return columns


def _exploded(given: SparkType | None) -> Columns | None:
    if isinstance(given, ArrayType):
        return (OutputColumn("col", given.element),)
    if isinstance(given, MapType):
        return (OutputColumn("key", given.key), OutputColumn("value", given.value))
    return None


def _inlined(given: SparkType | None) -> Columns | None:
    if isinstance(given, ArrayType) and isinstance(given.element, StructType):
        return tuple([OutputColumn(field.name, field.type) for field in given.element.fields])
    return None


def _stacked(call: Call) -> Columns | None:
    rows = constant_integer(call.arg(0))
    values = [call.types.type_of(value) for value in call.args[1:]]
    if not rows or rows < 0:
        return None
    width = -(-len(values) // rows)
    return tuple([OutputColumn(f"col{at}", common_type(values[at::width])) for at in range(width)])
