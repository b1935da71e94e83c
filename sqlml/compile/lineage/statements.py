"""Follows the outputs of one statement to the columns of its parents: an Analysis in, Dependencies of each output out.

Before: `with a as (select k, sum(x) as s from t where w > 0 group by k) select k, s / 2 as half from a`
After:  k <- value of t.k; half <- other rows' t.x; and t.w and t.k decide about the rows of both.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlml.compile.lineage.dependencies import FILTER, OTHER_ROWS, VALUE, Bounds, Dependencies, Leaf, LeafBound
from sqlml.compile.lineage.expressions import Reading, read_expression
from sqlml.compile.lineage.joins import JoinFacts, is_moment, known_at_item, read_joins, unwrapped
from sqlml.compile.queries import Output, Query, Relation
from sqlml.compile.scopes import Analysis

_CLAUSES = ("where", "group", "having", "qualify")


class StatementTracer:
    """Follows the outputs of one statement; each output of each of its queries is followed once."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._outputs: dict[tuple[Query, int, str | None], Dependencies] = {}
        self._rows: dict[Query, frozenset[Leaf]] = {}
        self._facts: dict[Query, JoinFacts] = {}
        self._others: set[Relation] = set()
        self._positions: dict[Relation, dict[str, list[int]]] = {}
        self._bounds: dict[Relation, Bounds] = {}

    def rows(self, query: Query) -> frozenset[Leaf]:
        """Return the columns that decide which rows `query` has, how they are grouped and what they are joined to."""
        found = self._rows.get(query)
        if found is None:
            self._prepare(query)
            # A query never reads itself: an alias of its own is an output.
            self._rows[query] = frozenset()
            found = self._rows[query] = frozenset(self._find_rows(query))
        return found

    def output(self, query: Query, at: int, field: str | None = None) -> Dependencies:
        """Return what the output at position `at` of `query` depends on, or only its struct's `field`."""
        key = (query, at, field)
        found = self._outputs.get(key)
        if found is None:
            self._prepare(query)
            # An output that (wrongly) reads itself adds nothing to itself.
            self._outputs[key] = found = Dependencies()
            self._follow(query, at, field, found)
        return found

    def unknown(self, query: Query) -> Dependencies:
        """Return that anything of what `query` reads may be meant."""
        found = Dependencies()
        todo = [query]
        seen = {query}
        while todo:
            at = todo.pop()
            inner = [origin for relation in at.reads.relations if (origin := relation.origin) is not None]
            outputs = [target for output in at.outputs or () for target in output.reads.queries]
            for origin in (*inner, *at.reads.queries, *outputs):
                if isinstance(origin, str):
                    found.unknown |= {origin} if origin else set()
                elif origin not in seen:
                    seen.add(origin)
                    todo.append(origin)
        return found

    def _follow(self, query: Query, at: int, field: str | None, found: Dependencies) -> None:
        output: Output = (query.outputs or [])[at]
        if query.branches:
            left, right = query.branches
            found.absorb(self.output(left, at, field), VALUE)
            # What EXCEPT and INTERSECT read on their right side is compared, and never returned.
            found.absorb(self.output(right, at, field), VALUE if isinstance(query.tree, exp.Union) else FILTER)
            found.is_copy = all(self.output(branch, at, field).is_copy for branch in query.branches)
        elif _is_star(output.node):
            for relation, name in output.reads.columns:
                found.is_copy = self.read(relation, name, field, VALUE, found)
            found.is_copy = found.is_copy and len(output.reads.columns) == 1
        else:
            reading = Reading(self, query, found)
            read_expression(reading, output.node, field)
            if isinstance(item := _bare(output.node), exp.Column):
                found.is_copy = reading.is_copy(item)

    def read(self, relation: Relation, name: str, field: str | None, kind: int, found: Dependencies) -> bool:
        """Note in `found` what the column `name` of `relation` depends on, and return whether it is a copy."""
        if kind == VALUE and relation in self._others:
            kind = OTHER_ROWS
        bounds = self._bounds.get(relation, frozenset())
        origin = relation.origin
        if isinstance(origin, str):
            if name == "*" or relation.columns is None or _is_renamed_blindly(relation):
                found.unknown |= {origin} if origin else set()
            elif origin:
                found.add((origin, relation.own_name(name)), kind, bounds)
            return kind == VALUE
        if origin is None:
            self._read_made(relation, kind, found)
            return False
        outputs, columns = origin.outputs, relation.columns
        if outputs is None or columns is None or len(outputs) != len(columns) or name == "*":
            found.absorb(self.unknown(origin), kind)
            return False
        is_copy = False
        for at in self._positions_of(relation, columns).get(name, ()):
            inner = self.output(origin, at, field)
            found.absorb(inner, kind, bounds)
            is_copy = inner.is_copy
        return is_copy and kind == VALUE

    def _positions_of(self, relation: Relation, columns: tuple[str, ...]) -> dict[str, list[int]]:
        found = self._positions.get(relation)
        if found is None:
            found = self._positions[relation] = {}
            for at, column in enumerate(columns):
                found.setdefault(column.lower(), []).append(at)
        return found

    def _read_made(self, relation: Relation, kind: int, found: Dependencies) -> None:
        if relation.made_of is None:
            return
        # Arguments of a generator in FROM are read in the scope that it stands in: their meanings are known.
        for node in relation.made_of.iter_expressions():
            read_expression(Reading(self, None, found), node, None, kind)

    def _prepare(self, query: Query) -> None:
        """Find out how the relations of `query` belong to each other, before any of its columns is followed."""
        if query in self._facts:
            return
        self._facts[query] = facts = read_joins(query, self.analysis.meanings)
        for relation, comparisons in facts.bounds.items():
            bounds = [self._bound(query, part.known_at, [(query, part.moment)]) for part in comparisons]
            self._bounds[relation] = frozenset(bounds)
        # Only now: in its own row, the time of an event is the event's own.
        self._others |= facts.others
        for at, branch in enumerate(query.branches):
            position = known_at_item(branch)
            if position is not None:
                self._bind_events(branch, query.branches[1 - at], position)

    def _bind_events(self, events: Query, rows: Query, position: int) -> None:
        """Note what a shipped macro promises of the rows of `events`."""
        self._prepare(rows)
        self._prepare(events)
        moments = [(rows, output.node) for output in (rows.outputs or ())[position : position + 1]]
        if not all(is_moment(node) for _, node in moments):
            return
        bound = self._bound(events, (events.outputs or [])[position].node, moments)
        for relation in events.reads.relations:
            self._bounds[relation] = self._bounds.get(relation, frozenset()) | {bound}

    def _bound(self, query: Query, known_at: exp.Expr, moments: list[tuple[Query, exp.Expr]]) -> LeafBound:
        column = unwrapped(known_at)
        known, moment = Dependencies(), Dependencies()
        reading = Reading(self, query, known)
        read_expression(reading, column, None)
        is_copy = isinstance(column, exp.Column) and reading.is_copy(column)
        for owner, node in moments:
            read_expression(Reading(self, owner, moment), node, None)
        return LeafBound(
            frozenset(known.values) if is_copy else frozenset(),
            frozenset([*moment.values, *moment.others]),
            column.sql("spark") if not isinstance(column, exp.Column) else column.name,
        )

    def _find_rows(self, query: Query) -> Iterator[Leaf]:
        found = Dependencies()
        if query.branches:
            for branch in query.branches:
                found.filters |= self.rows(branch)
            # EXCEPT, INTERSECT and UNION DISTINCT compare all columns.
            if query.is_whole:
                for at in range(len(query.outputs or ())):
                    found.absorb(self.output(query, at), FILTER)
        else:
            self._read_clauses(query, found)
        yield from found.filters

    def _read_clauses(self, query: Query, found: Dependencies) -> None:
        for relation in query.reads.relations:
            # In a LEFT JOIN too: how often a row of the left side comes depends on the rows of the right side.
            if isinstance(relation.origin, Query):
                found.filters |= self.rows(relation.origin)
            if relation.made_of is not None:
                self._read_made(relation, FILTER, found)
        args = query.tree.args
        clauses = [clause for name in _CLAUSES if (clause := args.get(name)) is not None]
        if args.get("limit") is not None and args.get("order") is not None:
            clauses.append(args["order"])
        for clause in (*clauses, *[join.on for join in query.joins if join.on is not None]):
            read_expression(Reading(self, query, found), clause, None, FILTER)
        for join in query.joins:
            for relation, name in join.keys:
                self.read(relation, name, None, FILTER, found)
        for at in self._compared_outputs(query):
            found.absorb(self.output(query, at), FILTER)

    def _compared_outputs(self, query: Query) -> Iterator[int]:
        """Yield the positions of outputs that DISTINCT, `GROUP BY ALL` and ordinals in GROUP BY compare."""
        outputs = query.outputs or []
        group = query.tree.args.get("group")
        if query.tree.args.get("distinct"):
            yield from range(len(outputs))
        elif group is not None:
            for entry in group.expressions:
                if isinstance(entry, exp.Literal) and not entry.is_string and 0 < int(entry.name) <= len(outputs):
                    yield int(entry.name) - 1
            if group.args.get("all"):
                yield from [at for at in range(len(outputs)) if not self.output(query, at).others]


def _is_renamed_blindly(relation: Relation) -> bool:
    """Return whether an alias list names the columns of a node that are not known."""
    return relation.named is not None and len(relation.named) != len(relation.columns or ())


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _bare(item: exp.Expr) -> exp.Expr:
    while isinstance(item, exp.Alias | exp.Paren):
        item = item.this
    return item
