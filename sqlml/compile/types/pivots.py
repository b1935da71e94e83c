"""PIVOT and UNPIVOT: the columns of a relation and the clause in, the columns of its result out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from sqlml.compile.types.coercion import common_type
from sqlml.compile.types.functions.call import Types
from sqlml.compile.types.scope import Columns, OutputColumn
from sqlml.compile.types.spark_types import FLOAT, STRING, SparkType, is_integer


def pivoted(columns: Columns | None, clause: exp.Expr, types: Types) -> Columns | None:
    """Return the columns after `clause`, a PIVOT or UNPIVOT; None: they are not all known.

    Args:
        types: types expressions over `columns`.
    """
    fields: list[exp.Expr] = clause.args.get("fields") or []
    if columns is None or len(fields) != 1 or not isinstance(fields[0], exp.In):
        return None
    if clause.args.get("unpivot"):
        return _unpivoted(columns, clause, fields[0], types)
    return _pivoted(columns, clause.expressions, fields[0], types)


def _names(nodes: Sequence[exp.Expr]) -> set[str]:
    return {column.name.lower() for node in nodes for column in node.find_all(exp.Column, exp.Identifier)}


def _pivoted(columns: Columns, aggregates: Sequence[exp.Expr], values: exp.In, types: Types) -> Columns | None:
    used = {column.name.lower() for node in aggregates for column in node.find_all(exp.Column)} | _names([values.this])
    kept = [column for column in columns if (column.name or "").lower() not in used]
    made: list[OutputColumn] = []
    for value in values.expressions:
        first = value_name(value)
        for aggregate in aggregates:
            name: str | None = first
            if len(aggregates) > 1:
                name = f"{first}_{aggregate.alias}" if first and isinstance(aggregate, exp.Alias) else None
            made.append(OutputColumn(name, types.type_of(aggregate)))
    return (*kept, *made)


def value_name(value: exp.Expr) -> str | None:
    """Return what a value of PIVOT calls its column; None: only Spark can tell."""
    if isinstance(value, exp.PivotAlias | exp.Alias):
        return str(value.args["alias"].name)
    is_plain = isinstance(value, exp.Literal) and (value.is_string or value.name.isdigit())
    return value.name if is_plain else None


def _unpivoted(columns: Columns, clause: exp.Expr, values: exp.In, types: Types) -> Columns | None:
    groups = [group_of(value) for value in values.expressions]
    made = group_names(clause.expressions)
    if any(len(group) != len(made) for group in groups):
        return None
    used = _names([column for group in groups for column in group])
    kept = [column for column in columns if (column.name or "").lower() not in used]
    results = [
        OutputColumn(name, _value_type([types.type_of(group[at]) for group in groups])) for at, name in enumerate(made)
    ]
    return (*kept, OutputColumn(values.this.name, STRING), *results)


def group_of(value: exp.Expr) -> list[exp.Expr]:
    """Return the columns of one entry of UNPIVOT."""
    if isinstance(value, exp.PivotAlias | exp.Alias):
        value = value.this
    while isinstance(value, exp.Paren):
        value = value.this
    return list(value.expressions) if isinstance(value, exp.Tuple) else [value]


def group_names(nodes: Sequence[exp.Expr]) -> list[str]:
    """Return what UNPIVOT calls the columns that it makes."""
    return [part.name for node in nodes for part in group_of(node)]


def _value_type(types: Sequence[SparkType | None]) -> SparkType | None:
    # Here alone a float holds integers, or not: Spark has two rules.
    if FLOAT in types and any(is_integer(given) for given in types):
        return None
    return common_type(types)
