"""Follows columns through a statement: a syntax tree and the relations it may read in, a Query of named outputs out.

Before: `with a as (select * from t) select x, y + 1 as z from a`, where `t` has x and y.
After:  Query(outputs x <- a.x, z <- a.y), and `a` is Query(outputs x <- t.x, y <- t.y).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from sqlglot import exp

from sqlml.compile.from_clause import Columns, FromReader, Visible, alias_columns, columns_of
from sqlml.compile.names import NameResolver, Target
from sqlml.compile.queries import Output, Query, Reads, Relation, Scope
from sqlml.compile.readable import Readable
from sqlml.compile.spans import Spans, offset_of
from sqlml.compile.sql import Locate, Statement
from sqlml.errors import SqlmlError, suggest

# Clauses after the SELECT list in which outputs go before columns of relations.
_SORTS = ("order", "sort", "cluster", "distribute")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a statement reads and returns.

    Attributes:
        is_exact: whether each name's meaning is known; if not, nothing may be concluded from what is not in `query`.
        foreign: relations outside of the project that it reads, with their names.
        meanings: id of a column's expression to how many of its parts name the column, and what it means.
        subqueries: id of a subquery's expression to its Query.
        is_recursive: whether a CTE reads itself.
    """

    query: Query
    errors: tuple[SqlmlError, ...]
    is_exact: bool
    foreign: tuple[tuple[str, exp.Expr], ...] = ()
    meanings: Mapping[int, tuple[int, tuple[Target, ...]]] = field(default_factory=dict)
    subqueries: Mapping[int, Query] = field(default_factory=dict)
    is_recursive: bool = False


def analyze(
    statement: Statement,
    readable: Mapping[str, Readable],
    what: str,
    locate: Locate,
    refs: Mapping[str, str] | None = None,
) -> Analysis:
    """Return what `statement` reads and returns, with an error for each column that does not exist.

    Args:
        readable: view name in lower case to relation.
        what: whose SQL it is, for errors.
        refs: what a user might write instead of a reference -> the reference, for the fix.
    """
    spans = Spans(statement.tokens)
    analyzer = _Analyzer(readable, what, locate, spans, refs or {})
    query = analyzer.query(statement.tree, {}, None)
    names = analyzer.names
    spans.forget()
    return Analysis(
        query,
        tuple(names.errors),
        names.is_exact,
        tuple(analyzer.froms.foreign),
        names.meanings,
        names.subqueries,
        analyzer.is_recursive,
    )


class _Analyzer:
    def __init__(
        self, readable: Mapping[str, Readable], what: str, locate: Locate, spans: Spans, refs: Mapping[str, str]
    ) -> None:
        self.names = NameResolver(what, locate, spans, self.query)
        self.froms = FromReader(self.names, readable, refs, self.query)
        self.is_recursive = False

    def query(self, tree: exp.Expr, ctes: dict[str, Relation], outer: Scope | None) -> Query:
        """Return the Query of `tree`; `outer` is the scope that a correlated subquery may read."""
        ctes = self._with_ctes(tree, ctes, outer)
        if isinstance(tree, exp.Subquery):
            query = self.query(tree.this, ctes, outer)
            if any(tree.args.get(clause) for clause in (*_SORTS, "limit", "offset")):
                query.is_whole = True
            return query
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(tree, ctes, outer)
        if isinstance(tree, exp.Select):
            return self._select(tree, ctes, outer)
        self.names.is_exact = False
        return Query(tree, outputs=None)

    def _with_ctes(self, tree: exp.Expr, ctes: dict[str, Relation], outer: Scope | None) -> dict[str, Relation]:
        clause = tree.args.get("with_")
        if clause is None:
            return ctes
        ctes = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias
            given = alias_columns(cte)
            if clause.args.get("recursive"):
                self.names.is_exact = False
                self.is_recursive = True
                ctes[name.lower()] = Relation(name.lower(), name, given)
            query = self.query(cte.this, ctes, outer)
            ctes[name.lower()] = Relation(name.lower(), name, self.names.renamed(query.columns, given), query)
        return ctes

    def _set_operation(self, tree: exp.SetOperation, ctes: dict[str, Relation], outer: Scope | None) -> Query:
        left = self.query(tree.this, ctes, outer)
        right = self.query(tree.expression, ctes, outer)
        query = Query(tree, branches=(left, right))
        query.reads.relations += [Relation("", "", None, left), Relation("", "", None, right)]
        query.is_whole = not isinstance(tree, exp.Union) or bool(tree.args.get("distinct"))
        if tree.args.get("by_name"):
            what = f"{self.names.what} has a {_operation(tree)} BY NAME, which Spark's SQL does not know"
            self.names.error(what, tree.expression, "write the columns in the same order on both sides")
        if left.outputs is None or right.outputs is None:
            query.outputs = None
        else:
            self._check_width(tree, left.outputs, right.outputs)
            query.outputs = [
                Output(output.name, output.item, output.node, Reads(outputs={(left, at), (right, at)}))
                for at, output in enumerate(left.outputs[: len(right.outputs)])
            ]
        scope = Scope(query, ctes, outer)
        scope.relations.append(Relation("", _operation(tree), query.columns, query))
        self._read_sorts(tree, scope)
        return query

    def _check_width(self, tree: exp.SetOperation, left: list[Output], right: list[Output]) -> None:
        if len(left) != len(right):
            self.names.error(
                f"{self.names.what} has a {_operation(tree)} of {len(left)} and {len(right)} columns",
                right[0].node if right and offset_of(right[0].node) else tree.expression,
                "give both sides the same columns in the same order",
            )

    def _select(self, tree: exp.Select, ctes: dict[str, Relation], outer: Scope | None) -> Query:
        query = Query(tree)
        scope = Scope(query, ctes, outer)
        visible = self.froms.read(tree, scope)
        self._items(tree, scope, visible)
        reads, args = query.reads, tree.args
        where = Scope(query, ctes, outer, scope.relations, merged=scope.merged)
        self.names.read([args.get("where")], where, reads)
        self.names.read([args.get("group"), args.get("having"), args.get("qualify")], scope, reads)
        self.names.read([*(args.get("windows") or ()), args.get("limit"), args.get("offset")], scope, reads)
        self._read_sorts(tree, scope)
        query.is_whole = query.is_whole or bool(args.get("distinct")) or bool(args.get("hint")) or _has_ordinals(tree)
        return query

    def _read_sorts(self, tree: exp.Expr, scope: Scope) -> None:
        clauses = [tree.args.get(clause) for clause in _SORTS]
        self.names.read(clauses, scope, scope.query.reads, prefers_outputs=True)

    def _items(self, tree: exp.Select, scope: Scope, visible: Visible) -> None:
        query = scope.query
        outputs: list[Output] = []
        is_known = True
        query.outputs = outputs
        for at, item in enumerate(tree.expressions):
            if _is_star(item):
                expanded = self._star(item, scope, visible)
                is_known = is_known and expanded is not None
                made = [Output(name, at, item, Reads(columns=reads)) for name, reads in expanded or ()]
            else:
                reads = Reads()
                self.names.read([item], scope, reads)
                names = _item_names(item)
                # What a misspelt column is called by others cannot be known, and is no error of theirs.
                is_known = is_known and names is not None and id(item) not in self.names.unknown
                made = [Output(name, at, item, reads) for name in names or ()]
            for output in made:
                if output.name is not None:
                    scope.aliases.setdefault(output.name.lower(), len(outputs))
                outputs.append(output)
        if not is_known:
            self.names.is_exact = False
            query.outputs = None

    def _star(self, item: exp.Star | exp.Column, scope: Scope, visible: Visible) -> Columns | None:
        star = item if isinstance(item, exp.Star) else item.this
        columns: Columns | None
        title = "'*'"
        if isinstance(item, exp.Star):
            columns = visible.columns
        else:
            alias = item.parts[0].name
            title = f"'{alias}'"
            found = [relation for relation in scope.relations if relation.alias == alias.lower()]
            columns = columns_of(found[0]) if found else None
            if not found:
                self._check_struct(item, scope)
        if columns is None:
            self.names.is_exact = False
            return None
        return self._without(columns, star.args.get("except_") or (), title)

    def _check_struct(self, item: exp.Column, scope: Scope) -> None:
        """Note an error if the name before `.*` is neither a relation nor, as far as is known, a column."""
        alias = item.parts[0]
        if any(relation.columns is None or alias.name.lower() in relation.folded for relation in scope.relations):
            return
        if scope.outer is None:
            known = [relation.alias for relation in scope.relations if relation.alias]
            what = f"{self.names.what} uses '{alias.name}.*', but reads no relation '{alias.name}'"
            self.names.error(what, alias, suggest(alias.name, known, "it reads"))

    def _without(self, columns: Columns, excepted: Iterable[exp.Expr], title: str) -> Columns:
        names = {name.lower() for name, _ in columns}
        gone = set()
        for column in excepted:
            gone.add(column.name.lower())
            if column.name.lower() not in names:
                self.names.error(
                    f"{self.names.what} leaves out column '{column.name}', which {title} does not have",
                    column.parts[0] if isinstance(column, exp.Column) else column,
                    suggest(column.name, [name for name, _ in columns]),
                )
        return [(name, reads) for name, reads in columns if name.lower() not in gone]


def _is_star(item: exp.Expr) -> TypeGuard[exp.Star | exp.Column]:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _item_names(item: exp.Expr) -> list[str | None] | None:
    """Return the names of what one entry of a SELECT list makes; None: it cannot be told how many it makes."""
    while isinstance(item, exp.Paren):
        item = item.this
    if isinstance(item, exp.Alias):
        return [item.alias]
    if isinstance(item, exp.Aliases):
        return [name.name for name in item.expressions]
    if isinstance(item, exp.Column):
        return [item.name]
    if isinstance(item, exp.Dot):
        return [item.expression.name]
    if isinstance(item, exp.Explode | exp.Inline | exp.Stack | exp.QueryTransform | exp.Anonymous):
        return [None] if isinstance(item, exp.Anonymous) and item.name.lower() not in _GENERATORS else None
    return [None]


_GENERATORS = frozenset({"inline_outer", "json_tuple", "variant_explode", "variant_explode_outer", "stack"})


def _has_ordinals(tree: exp.Select) -> bool:
    """Return whether a clause refers to entries of the SELECT list by position, or to all of them."""
    group = tree.args.get("group")
    if group is not None and (group.args.get("all") or any(_is_number(node) for node in group.expressions)):
        return True
    order = tree.args.get("order")
    ordered = [entry.this if isinstance(entry, exp.Ordered) else entry for entry in order.expressions] if order else []
    return any(_is_number(node) or isinstance(node, exp.Var) for node in ordered)


def _is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _operation(tree: exp.SetOperation) -> str:
    return type(tree).__name__.upper()
