"""Types the FROM clause: its syntax tree in, the relations in scope and the columns that `*` means out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from sqlml.compile.types.coercion import common_type, wider
from sqlml.compile.types.expressions import ExpressionTyper
from sqlml.compile.types.generators import generated_columns, renamed
from sqlml.compile.types.pivots import pivoted
from sqlml.compile.types.scope import Columns, OutputColumn, Source, TypeScope

if TYPE_CHECKING:
    from sqlml.compile.types.queries import Ctes, QueryTyper


class FromTyper:
    """Reads one FROM clause.

    Attributes:
        scope: gets the relations.
        visible: the columns that `*` means; None: not all are known.
    """

    def __init__(self, queries: QueryTyper, ctes: Ctes, scope: TypeScope) -> None:
        self.scope = scope
        self.visible: Columns | None = ()
        self._queries = queries
        self._ctes = ctes

    def read(self, tree: exp.Select) -> None:
        """Bring the relations of the FROM clause of `tree` into the scope."""
        clause = tree.args.get("from_")
        if clause is not None:
            self._add(clause.this)
        self._join(tree.args.get("joins") or ())
        for lateral in tree.args.get("laterals") or ():
            self._add(lateral)

    def _add(self, node: exp.Expr) -> None:
        if _is_group(node) and not node.alias and not node.args.get("pivots"):
            self._add(node.this)
        else:
            source = self._source(node)
            self.scope.sources.append(source)
            both = self.visible is not None and source.columns is not None
            self.visible = (*(self.visible or ()), *(source.columns or ())) if both else None
        self._join(node.args.get("joins") or ())

    def _join(self, joins: Iterable[exp.Join]) -> None:
        for join in joins:
            if join.kind in ("SEMI", "ANTI"):
                # Its right side is seen by its condition alone.
                self._watch(join, replace(self.scope, sources=[*self.scope.sources, self._source(join.this)]))
                continue
            left, before = self.visible, len(self.scope.sources)
            self.visible = ()
            self._add(join.this)
            right, self.visible = self.visible, None
            self._watch(join, self.scope)
            if left is None or right is None:
                self._forget_merged(join, before)
            else:
                self._merge(join, left, right)

    def _watch(self, join: exp.Join, scope: TypeScope) -> None:
        watcher, condition = self._queries.watcher, join.args.get("on")
        if watcher is not None and condition is not None:
            # A copy: relations that are joined later do not belong to it.
            seen = replace(scope, sources=list(scope.sources))
            watcher.see_condition(condition, ExpressionTyper(seen, self._type_query, None, watcher))

    def _forget_merged(self, join: exp.Join, before: int) -> None:
        """Note that merged columns exist, of unknown type as one side is unknown."""
        for name in join.args.get("using") or ():
            self.scope.merged[name.name.lower()] = None
        if join.method == "NATURAL":
            for source in self.scope.sources[before:]:
                self.scope.merged |= dict.fromkeys(source.types)

    def _merge(self, join: exp.Join, left: Columns, right: Columns) -> None:
        names = [name.name.lower() for name in join.args.get("using") or ()]
        if join.method == "NATURAL":
            others = {_folded(column) for column in right}
            names = [_folded(column) for column in left if _folded(column) in others]
        first = [self._merged(join, name, left, right) for name in names]
        rest = [column for column in (*left, *right) if _folded(column) not in names]
        self.visible = (*first, *rest)
        for source in self.scope.sources:
            source.put_first(names)

    def _merged(self, join: exp.Join, name: str, left: Columns, right: Columns) -> OutputColumn:
        ours = next((column for column in left if _folded(column) == name), OutputColumn(name, None))
        theirs = next((column for column in right if _folded(column) == name), OutputColumn(name, None))
        if self._queries.watcher is not None:
            keys = (key for key in join.args.get("using") or () if key.name.lower() == name)
            self._queries.watcher.see_keys(next(keys, join.this), ours.type, theirs.type)
        if join.side == "RIGHT":
            found = theirs
        elif join.side == "FULL":
            found = OutputColumn(ours.name, wider(ours.type, theirs.type))
        else:
            found = ours
        self.scope.merged[name] = found.type
        return found

    def _source(self, node: exp.Expr) -> Source:
        alias = node.alias or (node.name if isinstance(node, exp.Table) else "")
        columns = self._columns(node)
        names = _alias_columns(node)
        columns = renamed(columns, names) if names else columns
        for clause in node.args.get("pivots") or ():
            inner = TypeScope(None, [Source(alias.lower(), columns)])
            columns = pivoted(columns, clause, ExpressionTyper(inner, self._type_query))
            alias = clause.alias or alias
            columns = renamed(columns, _alias_columns(clause))
        return Source(alias.lower(), columns)

    def _columns(self, node: exp.Expr) -> Columns | None:
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Values):
            types = ExpressionTyper(TypeScope(), self._type_query, None, self._queries.watcher)
            if self._queries.watcher is not None:
                self._queries.watcher.see_expression(node, types)
            return value_columns(node, types)
        if isinstance(node, exp.Lateral):
            if isinstance(node.this, exp.Subquery):
                return self._type_query(node.this, self.scope)
            return self._generated(node.this)
        if _is_group(node):
            group = FromTyper(self._queries, self._ctes, TypeScope())
            group._add(node.this)
            return group.visible
        if isinstance(node, exp.Subquery):
            return self._type_query(node, None)
        return None

    def _generated(self, node: exp.Expr) -> Columns | None:
        watcher = self._queries.watcher
        types = ExpressionTyper(replace(self.scope, sources=list(self.scope.sources)), self._type_query, None, watcher)
        if watcher is not None:
            watcher.see_expression(node, types)
        return generated_columns(node, types)

    def _table(self, node: exp.Table) -> Columns | None:
        if not isinstance(node.this, exp.Identifier):
            return generated_columns(node.this, ExpressionTyper(self.scope, self._type_query))
        if len(node.parts) > 1:
            return self._queries.columns_of(".".join([part.name for part in node.parts]))
        name = node.name.lower()
        return self._ctes[name] if name in self._ctes else self._queries.columns_of(name)

    def _type_query(self, node: exp.Expr, outer: TypeScope | None) -> Columns | None:
        return self._queries.type_query(node, self._ctes, outer)


def value_columns(node: exp.Values, types: ExpressionTyper) -> Columns | None:
    """Return the columns of a VALUES list."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    return tuple(
        [
            OutputColumn(f"col{at + 1}", common_type([types.type_of(row[at]) for row in rows]))
            for at in range(len(rows[0]))
        ]
    )


def _folded(column: OutputColumn) -> str:
    return (column.name or "").lower()


def _is_group(node: exp.Expr) -> bool:
    return isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table)


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return [column.name for column in columns or ()]
