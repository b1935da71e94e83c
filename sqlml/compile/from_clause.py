"""Brings the relations of a FROM clause into scope: the clause in; relations, what `*` means and placed errors out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sqlml.compile.names import NameResolver, Subquery
from sqlml.compile.pivots import as_select
from sqlml.compile.queries import Join, Output, Query, Reads, Relation, Scope
from sqlml.compile.readable import Readable
from sqlml.errors import suggest

Columns = list[tuple[str, set[tuple[Relation, str]]]]
"""Column names in the user's spelling, each with what it reads."""


@dataclass(slots=True)
class Visible:
    """The columns that `*` means.

    Attributes:
        columns: None: unknown.
        title: how errors call where they come from.
    """

    columns: Columns | None
    title: str = ""

    @property
    def names(self) -> list[str] | None:
        """The names alone."""
        return None if self.columns is None else [name for name, _ in self.columns]

    def append(self, relation: Relation) -> None:
        """Add the columns of a relation joined by ON, or by nothing."""
        self.title = "the left side" if self.title else f"'{relation.title}'"
        own = columns_of(relation)
        self.columns = None if self.columns is None or own is None else self.columns + own

    def merge(self, relation: Relation, merged: Mapping[str, frozenset[Relation]]) -> None:
        """Add the columns of a relation joined by USING: the merged ones (lower case) come first, once.

        Args:
            merged: each to the relations whose value it has, in the order of USING, which `*` keeps.
        """
        self.title = "the left side"
        own = columns_of(relation)
        if self.columns is None or own is None:
            self.columns = None
            return
        right = {name.lower() for name, _ in own if name.lower() in merged}
        left = {name.lower(): name for name, _ in self.columns}
        first = [
            (left[name], {(owner, name) for owner in owners})
            for name, owners in merged.items()
            if name in right and name in left
        ]
        rest = [column for column in self.columns if column[0].lower() not in right]
        self.columns = first + rest + [column for column in own if column[0].lower() not in right]


@dataclass(slots=True)
class _Joined:
    """A FROM clause as it is read.

    Attributes:
        conditions: ON clauses with the relations that only they see.
    """

    scope: Scope
    visible: Visible
    conditions: list[tuple[exp.Expr, list[Relation]]]


class FromReader:
    """Reads the FROM clauses of one statement.

    Args:
        readable: view name in lower case to relation.
        refs: what a user might write instead of a reference -> the reference, for the fix.
        query: makes the Query of a derived table.

    Attributes:
        foreign: relations outside of the project, with their names.
    """

    def __init__(
        self, names: NameResolver, readable: Mapping[str, Readable], refs: Mapping[str, str], query: Subquery
    ) -> None:
        self.foreign: list[tuple[str, exp.Expr]] = []
        self._names = names
        self._readable = readable
        self._refs = refs
        self._query = query

    def read(self, tree: exp.Select, scope: Scope) -> Visible:
        """Fill `scope` with the relations of the FROM clause and return the columns that `*` means."""
        joined = _Joined(scope, Visible([]), [])
        clause = tree.args.get("from_")
        if clause is not None:
            self._add(clause.this, joined)
        self._join(tree.args.get("joins") or (), joined)
        for lateral in tree.args.get("laterals") or ():
            self._add(lateral, joined)
        for condition, extra in joined.conditions:
            seen = Scope(scope.query, scope.ctes, scope.outer, scope.relations + extra, merged=scope.merged)
            self._names.read([condition], seen, scope.query.reads)
        return joined.visible

    def _add(self, node: exp.Expr, joined: _Joined) -> None:
        is_group = isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias
        if is_group and not node.args.get("pivots"):
            self._add(node.this, joined)
        else:
            relation = self._relation(node, joined.scope)
            joined.scope.relations.append(relation)
            joined.visible.append(relation)
        self._join(node.args.get("joins") or (), joined)

    def _join(self, joins: Iterable[exp.Join], joined: _Joined) -> None:
        for join in joins:
            extra: list[Relation] = []
            is_semi = join.kind in ("SEMI", "ANTI")
            if is_semi or join.args.get("using") or join.method == "NATURAL":
                right = self._relation(join.this, joined.scope)
                merged = self._merge(join, right, joined)
                if is_semi:
                    extra.append(right)
                else:
                    joined.scope.relations.append(right)
                    joined.visible.merge(right, merged)
                self._note(join, [right], joined.scope, list(merged))
            else:
                before = len(joined.scope.relations)
                self._add(join.this, joined)
                self._note(join, joined.scope.relations[before:], joined.scope, ())
            if join.args.get("on") is not None:
                joined.conditions.append((join.args["on"], extra))

    def _note(self, join: exp.Join, relations: Sequence[Relation], scope: Scope, keys: Iterable[str]) -> None:
        sides = dict.fromkeys([*scope.relations, *relations])
        compared = [(side, name) for name in keys for side in sides if name in side.folded]
        joined = Join(tuple(relations), join.args.get("on"), tuple(compared), join.side.upper(), join.kind.upper())
        scope.query.joins.append(joined)

    def _merge(self, join: exp.Join, right: Relation, joined: _Joined) -> dict[str, frozenset[Relation]]:
        """Return the columns that a join makes one of two, each with the relations whose value it has.

        Both sides are noted as read, and those that lack a column as errors.
        """
        scope, visible = joined.scope, joined.visible
        if visible.names is None or right.columns is None:
            self._names.is_exact = False
        using = list(join.args.get("using") or ())
        merged = list(dict.fromkeys(column.name.lower() for column in using))
        if join.method == "NATURAL":
            merged = [name.lower() for name in visible.names or () if name.lower() in right.folded]
        for name in merged:
            sides = [relation for relation in (*scope.relations, right) if name in relation.folded]
            scope.query.reads.columns.update((side, name) for side in sides)
        owners = {name: self._owners(name, join, right, scope) for name in merged}
        scope.merged |= owners
        for column in using:
            for title, names in ((visible.title, visible.names), (f"'{right.title}'", right.columns)):
                if names is not None and column.name.lower() not in {name.lower() for name in names}:
                    what = f"{self._names.what} joins using column '{column.name}', which {title} does not have"
                    self._names.error(what, column, suggest(column.name, names))
        return owners

    def _owners(self, name: str, join: exp.Join, right: Relation, scope: Scope) -> frozenset[Relation]:
        left = scope.merged.get(name) or frozenset([side for side in scope.relations if name in side.folded])
        if join.side == "RIGHT":
            return frozenset([right])
        return left | {right} if join.side == "FULL" else left

    def _relation(self, node: exp.Expr, scope: Scope) -> Relation:
        relation = self._bare_relation(node, scope)
        for clause in node.args.get("pivots") or ():
            relation = self._pivoted(node, clause, relation, scope)
        if relation.columns is None:
            self._names.is_exact = False
        scope.query.reads.relations.append(relation)
        return relation

    def _pivoted(self, node: exp.Expr, clause: exp.Expr, before: Relation, scope: Scope) -> Relation:
        alias = clause.alias or node.alias
        # What the text says once is read for each value: nothing of it may be left out.
        self._names.is_exact = False
        select = None if before.columns is None else as_select(clause, before.columns)
        if select is None:
            return Relation(alias.lower(), alias or "pivot", None, before.origin, made_of=before.made_of)
        query = Query(select, is_whole=True)
        inner = Scope(query, scope.ctes, scope.outer, [before])
        query.reads.relations.append(before)
        if clause.args.get("unpivot"):
            # A row becomes several.
            query.reads.relations.append(Relation("", "unpivot", (), made_of=exp.Tuple()))
        outputs = query.outputs = []
        for at, item in enumerate(select.expressions):
            reads = Reads()
            self._names.read([item], inner, reads)
            outputs.append(Output(item.alias_or_name, at, item, reads))
        self._names.read([select.args.get("group"), select.args.get("where")], inner, query.reads)
        columns = self._names.renamed(query.columns, alias_columns(clause))
        return Relation(alias.lower(), alias or "pivot", columns, query)

    def _bare_relation(self, node: exp.Expr, scope: Scope) -> Relation:
        alias, given = node.alias, alias_columns(node)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            found = self._table(node, scope)
            alias = alias or node.name
            columns = self._names.renamed(found.columns, given)
            named = (found.columns or ()) if given is not None and isinstance(found.origin, str) else None
            return Relation(alias.lower(), found.title, columns, found.origin, found.view, named=named)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            query = self._query(node.this, scope.ctes, scope)
            return Relation(alias.lower(), alias or "lateral", self._names.renamed(query.columns, given), query)
        if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Table):
            query = self._query(node, scope.ctes, None)
            return Relation(alias.lower(), alias or "subquery", self._names.renamed(query.columns, given), query)
        # A function, VALUES, a generator: its arguments are read, its columns are known only by name.
        self._names.read(node.iter_expressions(), scope, scope.query.reads)
        is_range = isinstance(node.this, exp.Anonymous) and node.this.name.lower() == "range"
        columns = given or (("id",) if is_range else None)
        return Relation(alias.lower(), alias or "generator", columns, made_of=node)

    def _table(self, node: exp.Table, scope: Scope) -> Relation:
        name = node.name.lower()
        path = ".".join(part.name for part in node.parts)
        if len(node.parts) == 1:
            if name in scope.ctes:
                return scope.ctes[name]
            if name in self._readable:
                found = self._readable[name]
                if not found.node_id:
                    what = f"{self._names.what} reads its own relation, which is not there before it is built"
                    self._names.error(what, node.parts[0], "read what it is made of; `this` is its name, for texts")
                return Relation(name, found.title, found.columns, found.node_id, name)
        if len(node.parts) == 1 or path.lower() in self._refs:
            known = [*scope.ctes, *self._refs]
            reference = self._refs.get(path.lower())
            fix = f"write {{{{ {reference} }}}}" if reference else suggest(path, known, "there are")
            self._names.error(
                f"{self._names.what} reads '{path}', which is no CTE and no reference", node.parts[0], fix
            )
        else:
            self.foreign.append((path, node))
        return Relation(name, path, None)


def columns_of(relation: Relation) -> Columns | None:
    """Return all columns of `relation` with what each reads; None: unknown."""
    if relation.columns is None:
        return None
    return [(name, {(relation, name.lower())}) for name in relation.columns]


def alias_columns(node: exp.Expr) -> tuple[str, ...] | None:
    """Return the column names that a table alias gives, as in `as t(a, b)`."""
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return tuple([column.name for column in columns]) if columns else None
