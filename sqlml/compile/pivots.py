"""PIVOT and UNPIVOT as what they stand for: the clause and the columns before it in, a SELECT over them out.

Before: `t pivot (sum(x) for k in ('a', 'b'))`, where `t` has id, k and x.
After:  `select id, sum(x) filter (where k = 'a') as a, sum(x) filter (where k = 'b') as b group by id`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from sqlml.compile.types.pivots import group_names, group_of, value_name


def as_select(clause: exp.Expr, columns: Sequence[str]) -> exp.Select | None:
    """Return the SELECT that a PIVOT or UNPIVOT stands for, without FROM; None: what it returns cannot be told.

    Its tree is for looking at names alone: new nodes have no place in the text.
    """
    fields = clause.args.get("fields") or []
    if len(fields) != 1 or not isinstance(fields[0], exp.In):
        return None
    is_unpivot = bool(clause.args.get("unpivot"))
    items = list((_unpivoted if is_unpivot else _pivoted)(clause, fields[0], columns))
    if not items or not all(isinstance(item, exp.Column) or item.alias for item in items):
        return None
    select = exp.Select(expressions=items)
    if not is_unpivot:
        kept = [item.copy() for item in items if isinstance(item, exp.Column)]
        # What is not aggregated is grouped by; without that there is one row.
        select.set("group", exp.Group(expressions=kept) if kept else None)
    elif not clause.args.get("include_nulls"):
        made = items[-1].this.copy()
        select.set("where", exp.Where(this=exp.Not(this=exp.Is(this=made, expression=exp.Null()))))
    return select


def _pivoted(clause: exp.Expr, values: exp.In, columns: Sequence[str]) -> Iterator[exp.Expr]:
    aggregates = clause.expressions
    yield from _kept(columns, [*aggregates, values.this])
    for value in values.expressions:
        first = value_name(value)
        meant = value.this if isinstance(value, exp.PivotAlias | exp.Alias) else value
        for aggregate in aggregates:
            bare = aggregate.unalias() if isinstance(aggregate, exp.Alias) else aggregate
            alias = first
            if len(aggregates) > 1:
                alias = f"{first}_{aggregate.alias}" if first and isinstance(aggregate, exp.Alias) else None
            chosen = exp.EQ(this=values.this.copy(), expression=meant.copy())
            filtered = exp.Filter(this=bare.copy(), expression=exp.Where(this=chosen))
            yield exp.alias_(filtered, alias, quoted=True) if alias else filtered


def _unpivoted(clause: exp.Expr, values: exp.In, columns: Sequence[str]) -> Iterator[exp.Expr]:
    groups = [group_of(value) for value in values.expressions]
    names = group_names(clause.expressions)
    if any(len(group) != len(names) for group in groups):
        return
    yield from _kept(columns, [column for group in groups for column in group])
    yield exp.alias_(exp.Literal.string(""), values.this.name, quoted=True)
    for at, name in enumerate(names):
        # One of them, whichever it is.
        made = exp.Anonymous(this="unpivoted", expressions=[group[at].copy() for group in groups])
        yield exp.alias_(made, name, quoted=True)


def _kept(columns: Sequence[str], used: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    names = {column.name.lower() for node in used for column in node.find_all(exp.Column, exp.Identifier)}
    for column in columns:
        if column.lower() not in names:
            yield exp.column(column, quoted=True)
