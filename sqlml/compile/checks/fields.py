"""Fields that a struct does not have: a column with dots or brackets in, the field that is not there out.

Before: `select s.nmae, xs.first from t`, where s is a struct<name:string> and xs an array<int>.
After:  "takes field 'nmae', which 's' (struct<name:string>) does not have" and "… 'xs' (array<int>) … no fields".
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from sqlglot import exp

from sqlml.compile.checks.looking import Checks, Looking, short
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.spark_table import kind_of, spark_table
from sqlml.compile.types.functions.collections import field_of
from sqlml.compile.types.literals import constant_text
from sqlml.compile.types.spark_types import (
    VARIANT,
    VOID,
    ArrayType,
    MapType,
    SparkType,
    StructType,
)
from sqlml.errors import suggest


def _column(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    """A column with dots: what its first parts mean, then field after field."""
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star) or len(node.parts) < 2:
        return
    parts, named = node.parts, looking.types.named(node)
    found = None if named is None else named.type
    for at in range(1 if named is None else named.parts, len(parts)):
        if found is None:
            return
        yield from missing(looking, found, parts[at].name, parts[at], parts[at - 1].name)
        found = field_of(found, parts[at].name)


def _dot(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    name = node.args.get("expression")
    found = looking.type(node.this)
    if isinstance(name, exp.Identifier) and found is not None:
        yield from missing(looking, found, name.name, name, looking.quoted(node.this).strip("'"))


def missing(looking: Looking, found: SparkType, name: str, node: exp.Expr, owner: str) -> Iterator[Problem]:
    """Yield that a type has no field of this name."""
    row = found.element if isinstance(found, ArrayType) else found
    if isinstance(row, StructType):
        same = [field.name for field in row.fields if field.name.lower() == name.lower()]
        if not same:
            what = f"takes field '{name}', which '{owner}' ({short(found)}) does not have"
            yield looking.problem(what, node, suggest(name, [field.name for field in row.fields]))
    elif (
        row not in (VARIANT, VOID) and not isinstance(found, MapType) and kind_of(row) in spark_table().operators["add"]
    ):
        what = f"takes field '{name}' of '{owner}' ({short(found)}), which has no fields"
        yield looking.problem(what, node, "take fields of a struct, and values of a map, only")


def _bracket(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    found = looking.type(node.this)
    name = constant_text(node.expressions[0]) if len(node.expressions) == 1 else None
    if found is None or kind_of(found) not in spark_table().operators["add"]:
        return
    if isinstance(found, StructType) and name is not None:
        yield from missing(looking, found, name, node.expressions[0], looking.quoted(node.this).strip("'"))
    elif not isinstance(found, ArrayType | MapType | StructType) and found not in (VARIANT, VOID):
        what = f"takes an element of {looking.said(node.this)}, which has none"
        yield looking.problem(what, node, "take elements of an array or a map only")


def _path(looking: Looking, node: exp.Expr) -> Iterator[Problem]:
    """A path into a variant, as in `v:a.b`."""
    found = looking.type(node.this)
    if node.args.get("variant_extract") and found not in (None, VARIANT):
        what = f"takes a path into {looking.said(node.this)}, which is no variant"
        yield looking.problem(what, node.this, f"write parse_json({looking.quoted(node.this)[1:-1]}):…")


CHECKS: Checks = MappingProxyType({exp.JSONExtract: _path, exp.Column: _column, exp.Dot: _dot, exp.Bracket: _bracket})
