"""Types whole queries: a syntax tree and the columns of what it reads in, its output columns out.

Before: `with a as (select x, y / 2 as half from t) select *, half * 2 as z from a`, where `t` has x int and y int.
After:  x int, half double, z double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from sqlml.compile.types.coercion import wider
from sqlml.compile.types.expressions import ExpressionTyper
from sqlml.compile.types.functions.collections import is_star
from sqlml.compile.types.generators import GENERATORS, function_name, generated_columns, renamed
from sqlml.compile.types.relations import FromTyper, value_columns
from sqlml.compile.types.scope import Columns, OutputColumn, Source, TypeScope
from sqlml.compile.types.spark_types import SparkType, StructType
from sqlml.compile.types.watching import Watcher

ColumnsOf = Callable[[str], Mapping[str, SparkType | None] | None]
Ctes = Mapping[str, Columns | None]

_WINDOWS = ("window", "session_window")


def type_query(tree: exp.Expr, columns_of: ColumnsOf, watcher: Watcher | None = None) -> Columns | None:
    """Return the columns of a query with Spark's types for them; None: they are not all known.

    Args:
        tree: as sqlglot's parser for Spark makes it; it is not changed.
        columns_of: name of a relation in lower case -> its columns in order, in the user's spelling, each with its
            type or None; None: its columns are unknown.
        watcher: is shown what is typed.
    """
    return QueryTyper(columns_of, watcher).type_query(tree, {}, None)


class QueryTyper:
    """Types the queries of one statement."""

    def __init__(self, columns_of: ColumnsOf, watcher: Watcher | None = None) -> None:
        self.watcher = watcher
        self._columns_of = columns_of

    def columns_of(self, name: str) -> Columns | None:
        """Return the columns of a relation outside of the statement."""
        found = self._columns_of(name.lower())
        return None if found is None else tuple([OutputColumn(name, given) for name, given in found.items()])

    def type_query(self, tree: exp.Expr, ctes: Ctes, outer: TypeScope | None) -> Columns | None:
        """Return the columns of `tree`, which may use the names of `outer` if it is correlated."""
        ctes = self._with_ctes(tree, ctes, outer)
        if isinstance(tree, exp.Subquery):
            return self.type_query(tree.this, ctes, outer)
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(tree, ctes, outer)
        if isinstance(tree, exp.Select):
            return _SelectTyper(self, ctes, outer).columns(tree)
        if isinstance(tree, exp.Values):
            return value_columns(tree, ExpressionTyper(TypeScope(), lambda node, scope: None))
        return None

    def _with_ctes(self, tree: exp.Expr, ctes: Ctes, outer: TypeScope | None) -> Ctes:
        clause = tree.args.get("with_")
        if clause is None:
            return ctes
        found = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias.lower()
            alias = cte.args["alias"]
            names = [column.name for column in alias.args.get("columns") or ()]
            if clause.args.get("recursive") and _reads(cte.this, name):
                found[name] = self._recursive(cte.this, name, names, found, outer)
            else:
                found[name] = renamed(self.type_query(cte.this, found, outer), names)
        return found

    def _recursive(
        self, tree: exp.Expr, name: str, names: list[str], ctes: Ctes, outer: TypeScope | None
    ) -> Columns | None:
        """Return the columns of a CTE that reads itself: those of its first part that the second part gives again."""
        unknown = tuple([OutputColumn(column, None) for column in names]) or None
        while isinstance(tree, exp.Subquery):
            tree = tree.this
        if not isinstance(tree, exp.Union) or _reads(tree.this, name) or tree.args.get("with_"):
            return unknown
        # Checked below, once the types are sure.
        watcher, self.watcher = self.watcher, None
        try:
            first = renamed(self.type_query(tree.this, ctes, outer), names)
            again = self.type_query(tree.expression, {**ctes, name: first}, outer)
        finally:
            self.watcher = watcher
        if first is None or again is None or len(first) != len(again):
            return unknown
        pairs = zip(first, again, strict=True)
        found = tuple([OutputColumn(a.name, a.type if a.type == b.type else None) for a, b in pairs])
        self.type_query(tree, {**ctes, name: found}, outer)
        return found

    def _set_operation(self, tree: exp.SetOperation, ctes: Ctes, outer: TypeScope | None) -> Columns | None:
        # A long chain of UNIONs nests on the left, deeper than Python's stack.
        links = [tree]
        while isinstance(links[-1].this, exp.SetOperation) and links[-1].this.args.get("with_") is None:
            links.append(links[-1].this)
        found = self.type_query(links[-1].this, ctes, outer)
        for link in reversed(links):
            right = self.type_query(link.expression, ctes, outer)
            if self.watcher is not None:
                self.watcher.see_set_operation(link, found, right)
            found = None if link.args.get("by_name") else _both(found, right)
        if self.watcher is not None:
            scope = TypeScope(outer, [Source("", found)])
            types = ExpressionTyper(scope, lambda node, inner: self.type_query(node, ctes, inner), None, self.watcher)
            self.watcher.see_sorted(tree, types, found)
        return found


def _both(left: Columns | None, right: Columns | None) -> Columns | None:
    """Return the columns of a set operation, which has the names of its left side."""
    if left is None or right is None or len(right) != len(left):
        return None if left is None else tuple([OutputColumn(column.name, None) for column in left])
    pairs = zip(left, right, strict=True)
    return tuple([OutputColumn(ours.name, wider(ours.type, theirs.type)) for ours, theirs in pairs])


def _reads(tree: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name for table in tree.find_all(exp.Table))


class _SelectTyper:
    """Types the SELECT list of one query."""

    def __init__(self, queries: QueryTyper, ctes: Ctes, outer: TypeScope | None) -> None:
        self._queries = queries
        self._ctes = ctes
        self._scope = TypeScope(outer)
        self._types = ExpressionTyper(self._scope, self._type_query, self._star, queries.watcher)
        self._visible: Columns | None = ()

    def columns(self, tree: exp.Select) -> Columns | None:
        if tree.args.get("operation_modifiers") or tree.args.get("kind"):
            return None
        sources = FromTyper(self._queries, self._ctes, self._scope)
        sources.read(tree)
        self._visible = sources.visible
        self._note_windows(tree)
        found: list[OutputColumn] = []
        is_known = True
        for item in tree.expressions:
            made = self._item(item)
            is_known = is_known and made is not None
            for column in made or ():
                if column.name is not None:
                    self._scope.aliases.setdefault(column.name.lower(), column.type)
                found.append(column)
        columns = tuple(found) if is_known else None
        if self._queries.watcher is not None:
            self._queries.watcher.see_select(tree, self._types, self._sorted_types(), columns)
        return columns

    def _sorted_types(self) -> ExpressionTyper:
        """Return what types the ORDER BY clause, where outputs come before columns."""
        return ExpressionTyper(self._scope.sorted(), self._type_query, self._star, self._queries.watcher)

    def _type_query(self, node: exp.Expr, outer: TypeScope | None) -> Columns | None:
        return self._queries.type_query(node, self._ctes, outer)

    def _note_windows(self, tree: exp.Select) -> None:
        """Bring the column of a window of time into scope, which its function makes wherever it stands."""
        group = tree.args.get("group")
        for node in group.expressions if group is not None else ():
            if isinstance(node, exp.Anonymous) and node.name.lower() in _WINDOWS:
                self._scope.generated[node.name.lower()] = self._types.type_of(node)

    def _item(self, item: exp.Expr) -> Columns | None:
        """Return the columns of one entry of the SELECT list; None: it cannot be told how many."""
        if is_star(item):
            return self._star(item)
        inner = item.this if isinstance(item, exp.Alias | exp.Aliases) else item
        if function_name(inner) in GENERATORS:
            return renamed(generated_columns(inner, self._types), list(_given_names(item)))
        if isinstance(item, exp.Aliases):
            return tuple([OutputColumn(name, None) for name in _given_names(item)])
        name = None if self._types.is_bare_function(item) else _item_name(item)
        return (OutputColumn(name, self._types.type_of(item)),)

    def _star(self, item: exp.Expr) -> Columns | None:
        if isinstance(item, exp.Column):
            return self._qualified_star(item)
        if isinstance(item, exp.Dot):
            return _fields(self._types.type_of(item.this))
        return _without(self._visible, item)

    def _qualified_star(self, item: exp.Column) -> Columns | None:
        parts = [part.name for part in item.parts[:-1]]
        found = [source for source in self._scope.sources if source.alias == parts[-1].lower()]
        if len(found) == 1 and len(parts) == 1:
            return _without(found[0].columns, item.this)
        meant = self._scope.find(parts)
        return None if meant is None else _without(_fields(meant.type), item.this)


def _fields(given: SparkType | None) -> Columns | None:
    if not isinstance(given, StructType):
        return None
    return tuple([OutputColumn(field.name, field.type) for field in given.fields])


def _without(columns: Columns | None, star: exp.Expr) -> Columns | None:
    if columns is None or star.args.get("replace") or star.args.get("rename"):
        return None
    gone = {column.name.lower() for column in star.args.get("except_") or ()}
    return tuple([column for column in columns if (column.name or "").lower() not in gone]) if gone else columns


def _given_names(item: exp.Expr) -> Iterator[str]:
    if isinstance(item, exp.Alias):
        yield item.alias
    elif isinstance(item, exp.Aliases):
        yield from (name.name for name in item.expressions)


def _item_name(item: exp.Expr) -> str | None:
    while isinstance(item, exp.Paren):
        item = item.this
    if isinstance(item, exp.Alias):
        return item.alias
    if isinstance(item, exp.Dot):
        return str(item.expression.name)
    return item.name if isinstance(item, exp.Column) else None
