"""Finds what each column name of an expression means: an expression and its scope in, reads and placed errors out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from sqlml.compile.queries import Query, Reads, Relation, Scope
from sqlml.compile.spans import Spans
from sqlml.compile.sql import Locate
from sqlml.errors import CompileError, SqlmlError, suggest

# Names that Spark makes itself, or that are functions without parentheses.
GENERATED = frozenset(
    {
        "window", "session_window", "current_time", "localtime", "localtimestamp", "current_date", "current_timestamp",
        "current_user", "user", "session_user", "current_database", "current_catalog", "current_schema",
        "current_timezone", "_metadata", "grouping__id", "spark_grouping_id",
    }
)  # fmt: skip

Target = tuple[Relation | Query, str | int]
"""What a name means: a column (lower case) of a relation, any of an unknown one (`*`), or an output of a query."""

Subquery = Callable[[exp.Expr, dict[str, Relation], Scope | None], Query]


class NameResolver:
    """Resolves the column names of one statement.

    Args:
        what: whose SQL it is, for errors (`sql model 'x'`).
        locate: offsets in the SQL -> place in the user's file.
        spans: where its expressions stand.
        subquery: makes the Query of a subquery that an expression holds.

    Attributes:
        errors: unknown and ambiguous columns.
        unknown: ids of the expressions that are unknown columns.
        is_exact: whether every name's meaning is known; unknown columns of a relation make it False, and no error.
        meanings: id of a column's expression to how many of its parts name the column, and what it means.
        subqueries: id of a subquery's expression to its Query.
    """

    def __init__(self, what: str, locate: Locate, spans: Spans, subquery: Subquery) -> None:
        self.what = what
        self.errors: list[SqlmlError] = []
        self.unknown: set[int] = set()
        self.is_exact = True
        self.meanings: dict[int, tuple[int, tuple[Target, ...]]] = {}
        self.subqueries: dict[int, Query] = {}
        self._locate = locate
        self._spans = spans
        self._subquery = subquery

    def read(
        self, nodes: Iterable[exp.Expr | None], scope: Scope, reads: Reads, *, prefers_outputs: bool = False
    ) -> None:
        """Add to `reads` what the expressions `nodes` read; `prefers_outputs`: ORDER BY sees outputs first."""
        stack = [node for node in nodes if node is not None]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Column):
                self._resolve(node, scope, reads, prefers_outputs)
            elif isinstance(node, exp.Query):
                self.subqueries[id(node)] = query = self._subquery(node, scope.ctes, scope)
                reads.queries.append(query)
            elif isinstance(node, exp.Star):
                if not isinstance(node.parent, exp.Count):
                    self._read_all(node, scope.relations, reads)
            elif not isinstance(node, exp.Hint):
                stack.extend(node.iter_expressions())

    def renamed(self, columns: tuple[str, ...] | None, given: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return a relation's columns after an alias list `given`, if there is one."""
        if given is None:
            return columns
        if columns is None or len(columns) != len(given):
            # Nameless outputs got names; which is which is known by position only.
            self.is_exact = False
        return given

    def error(self, what: str, node: exp.Expr | None, fix: str | None = None) -> None:
        """Note an error at the place of `node`."""
        self.errors.append(CompileError(what, self._locate(*self._spans.of(node)), fix))

    def _read_all(self, star: exp.Expr, relations: Iterable[Relation], reads: Reads) -> None:
        targets: list[Target] = []
        for relation in relations:
            if relation.columns is None:
                self.is_exact = False
                targets.append((relation, "*"))
            reads.columns.update((relation, name) for name in relation.folded)
            targets += [(relation, name) for name in relation.folded]
        self.meanings[id(star)] = (9, tuple(targets))

    def _resolve(self, column: exp.Column, scope: Scope, reads: Reads, prefers_outputs: bool) -> None:
        names = [part.name.lower() for part in column.parts]
        if isinstance(column.this, exp.Star):
            self._read_qualified_star(column, names[0], scope, reads)
            return
        level: Scope | None = scope
        while level is not None:
            if self._find(column, names, level, reads, prefers_outputs and level is scope):
                return
            level = level.outer
        if names[0] not in GENERATED:
            self.unknown.add(id(column))
            self._report_unknown(column, names, scope)

    def _read_qualified_star(self, star: exp.Column, alias: str, scope: Scope, reads: Reads) -> None:
        found = [relation for relation in scope.relations if relation.alias == alias]
        if found:
            self._read_all(star, found, reads)
        else:
            self._guess(star, scope.relations)

    def _guess(self, column: exp.Column, relations: Iterable[Relation]) -> None:
        """Note that `column` may be any column of those `relations` that have unknown ones."""
        self.is_exact = False
        self.meanings[id(column)] = (9, tuple([(relation, "*") for relation in relations if relation.columns is None]))

    def _find(self, column: exp.Column, names: list[str], level: Scope, reads: Reads, prefers_outputs: bool) -> bool:
        for relation in level.relations if len(names) > 1 else ():
            if relation.alias == names[0] and names[1] in relation.folded:
                reads.columns.add((relation, names[1]))
                self.meanings[id(column)] = (2, ((relation, names[1]),))
                return True
            # A relation of another catalog is qualified by several names, and its columns are unknown.
            if relation.columns is None and relation.alias in names[:-1]:
                self._guess(column, [relation])
                return True
        # A name before a dot may also be a struct, whose fields are not checked.
        return self._find_unqualified(column, names[0], level, reads, prefers_outputs)

    def _find_unqualified(
        self, column: exp.Column, name: str, level: Scope, reads: Reads, prefers_outputs: bool
    ) -> bool:
        output = level.aliases.get(name)
        if prefers_outputs and output is not None:
            reads.outputs.add((level.query, output))
            self.meanings[id(column)] = (1, ((level.query, output),))
            return True
        owners = [relation for relation in level.relations if name in relation.folded]
        has_unknown = any(relation.columns is None for relation in level.relations)
        if owners:
            reads.columns.update((owner, name) for owner in owners)
            having = level.merged.get(name) or owners
            self.meanings[id(column)] = (1, tuple([(owner, name) for owner in having]))
            if has_unknown:
                self.is_exact = False
            elif len(owners) > 1 and name not in level.merged:
                self._report_ambiguous(column, owners)
            return True
        if has_unknown:
            self._guess(column, level.relations)
            return True
        if output is not None:
            reads.outputs.add((level.query, output))
            self.meanings[id(column)] = (1, ((level.query, output),))
            return True
        return False

    def _report_ambiguous(self, column: exp.Column, owners: list[Relation]) -> None:
        if not all(owner.alias for owner in owners):
            return
        name = column.parts[0]
        # The name of a view is no alias, and nobody writes it.
        if any(owner.alias == owner.view for owner in owners):
            titles, fix = [owner.title for owner in owners], "give both an alias, and say which one is meant"
        else:
            titles = [owner.alias for owner in owners]
            fix = f"say which one: {' or '.join(f'{owner.alias}.{name.name}' for owner in owners)}"
        self.error(f"{self.what} uses column '{name.name}', which both {_join(titles)} have", name, fix)

    def _report_unknown(self, column: exp.Column, names: list[str], scope: Scope) -> None:
        parts = column.parts
        owner = next((relation for relation in _all_relations(scope) if relation.alias == names[0]), None)
        if len(names) > 1 and owner is not None:
            fix = suggest(parts[1].name, owner.columns or ())
            self.error(f"{self.what} uses column '{parts[1].name}', which '{owner.title}' does not have", parts[1], fix)
            return
        if len(names) > 1:
            known = [relation.alias for relation in _all_relations(scope) if relation.alias]
            what = f"{self.what} uses '{parts[0].name}.{parts[1].name}', but reads no relation '{parts[0].name}'"
            self.error(what, parts[0], suggest(names[0], known, "it reads"))
            return
        name = parts[0].name
        columns = [column for relation in scope.relations for column in relation.columns or ()]
        if names[0] in {(output.name or "").lower() for output in scope.query.outputs or ()}:
            self.error(
                f"{self.what} uses '{name}' where names of the SELECT list do not count",
                parts[0],
                "repeat its expression, or put it into a CTE",
            )
        elif not scope.relations:
            self.error(f"{self.what} uses column '{name}' but reads no relation", parts[0], "add a FROM clause")
        else:
            lacks = "does not have" if len(scope.relations) == 1 else "do not have"
            self.error(
                f"{self.what} uses column '{name}', which {_titles(scope.relations)} {lacks}",
                parts[0],
                suggest(name, columns, "it has" if len(scope.relations) == 1 else "they have"),
            )


def _all_relations(scope: Scope | None) -> Iterable[Relation]:
    while scope is not None:
        yield from scope.relations
        scope = scope.outer


def _titles(relations: list[Relation]) -> str:
    return _join(list(dict.fromkeys(relation.title for relation in relations)))


def _join(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]
