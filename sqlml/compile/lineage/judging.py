"""Reads what the compiler needs to judge time of knowledge: a statement in; what bounds and chooses its rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from sqlml.compile.facts import ColumnFacts
from sqlml.compile.lineage.branches import null_rows
from sqlml.compile.lineage.conditions import compared, disjuncts, holding, null_tested, ruled_out
from sqlml.compile.lineage.dependencies import CHOSEN, ROWS, Bounds, Dependencies, Move, Promise, Reach
from sqlml.compile.lineage.expressions import read_expression
from sqlml.compile.lineage.moments import MomentReader
from sqlml.compile.lineage.promises import PromiseReader, QueryFacts, hold, move_bounds
from sqlml.compile.lineage.reading import ITSELF, Path, Reading, Tracer
from sqlml.compile.lineage.rows import Shift
from sqlml.compile.lineage.windows import WindowCall
from sqlml.compile.queries import Join, Query, Relation

_CHOSEN = Path(CHOSEN)


class StatementJudge:
    """Reads one statement for `expressions` and `statements` (see `sqlml.compile.lineage.reading.Judge`)."""

    def __init__(self, tracer: Tracer, parents: Mapping[str, ColumnFacts]) -> None:
        self.moments = MomentReader(tracer.analysis, parents)
        self._tracer = tracer
        self._promises = PromiseReader(self.moments, tracer.analysis.meanings)
        self._chosen: dict[Query, Dependencies] = {}
        self._counted: dict[Query, Dependencies] = {}
        self._keys: dict[Relation, Dependencies] = {}

    def facts(self, query: Query) -> QueryFacts:
        """Return what the conditions of `query` say."""
        return self._promises.facts(query)

    def group(self, query: Query, node: exp.Expr) -> Shift:
        """Return the way from a row to those that an aggregate reads."""
        return self.moments.group(query, node)

    def window(self, query: Query, call: WindowCall) -> tuple[Shift, tuple[Promise, ...]]:
        """Return the way from a row to those that a window function reads, and what holds of them."""
        shift = self.moments.window(query, call)
        return shift, self.moments.window_promises(query, call, shift)

    def where(self, query: Query | None, condition: exp.Expr) -> tuple[Promise, ...]:
        """Return what holds where a condition is true."""
        return self._promises.of(query, holding(condition))

    def unless(self, query: Query | None, conditions: Iterable[exp.Expr]) -> tuple[Promise, ...]:
        """Return what holds where none of the conditions is true."""
        return self._promises.of(query, ruled_out(conditions))

    def compared(self, query: Query | None, node: exp.Expr, is_true: bool) -> tuple[Promise, ...]:
        """Return for which sides of a comparison its result is known as soon as the other side is over.

        `k < m` is known at m: it is true, or k is still to come. `k > m` is not, if k may be null: it may never come.
        """
        return self._promises.of(query, compared(node, is_true)) + self._if_present(query, node, is_true, frozenset())

    def either(self, query: Query | None, conditions: Iterable[exp.Expr]) -> tuple[Promise, ...]:
        """Return for which sides of `k is null or k > m` it is known as soon as `m` is over whether one is true."""
        parts = [part for condition in conditions for part in disjuncts(condition)]
        tested = frozenset([missing.sql() for part in parts if (missing := null_tested(part)) is not None])
        found = [self._if_present(query, part, True, tested) for part in parts] if tested else []
        return tuple([promise for promises in found for promise in promises])

    def _if_present(
        self, query: Query | None, node: exp.Expr, is_true: bool, tested: frozenset[str]
    ) -> tuple[Promise, ...]:
        found = [
            comparison
            for comparison in compared(node, not is_true)
            if comparison.earlier.sql() in tested
            or (not tested and self.moments.times(query, comparison.earlier).is_present)
        ]
        return self._promises.of(query, found)

    def elements(self, query: Query | None, node: exp.ArrayFilter) -> tuple[Promise, ...]:
        """Return what holds of the elements that `filter()` leaves of an array."""
        condition = self.moments.bind_element(node)
        return () if condition is None else self.where(query, condition)

    def move(self, path: Path, relation: Relation | None = None, query: Query | None = None) -> Move | None:
        """Return what happens to what is read of `relation`, in `query`, on `path`.

        The row is seen through the relation, conditions of the query hold of it, and what the path says follows.
        """
        facts = None if query is None else self.facts(query)
        promises = facts.promises.get(relation, ()) if facts is not None and relation is not None else ()
        dead = facts.dead if facts is not None else frozenset()
        if relation is None and path.operations is None:
            return None
        names = self.moments.names
        around = Shift((relation,)) if relation is not None and isinstance(relation.origin, Query) else None

        def change(reach: Reach, bounds: Bounds) -> tuple[Reach, Bounds] | None:
            row = reach.row
            if around is not None:
                row = names.shifted(row, around)
                bounds = move_bounds(bounds, names, around)
            if row in dead:
                return None
            if promises:
                bounds = hold(promises, row, bounds, names)
            operations = path.operations
            while operations is not None:
                operation, operations = operations
                if isinstance(operation, Shift):
                    row = names.shifted(row, operation)
                    bounds = move_bounds(bounds, names, operation)
                else:
                    bounds = hold(operation, row, bounds, names)
            return reach._replace(row=row), bounds

        return change

    def keys(self, relation: Relation, query: Query) -> Dependencies:
        """Return what the row of `relation` is looked up by: the other side of its join conditions."""
        found = self._keys.get(relation)
        if found is None:
            self._keys[relation] = found = Dependencies()
            reading = Reading(self._tracer, query, found)
            for key in self.facts(query).keys.get(relation, ()):
                if isinstance(key, exp.Expr):
                    read_expression(reading, key, None)
                else:
                    self._tracer.read(*key, None, ITSELF, found)
        return found

    def chosen(self, query: Query) -> Dependencies:
        """Return what decided which rows `query` has, as `CHOSEN`; the rows of a parent as its column `ROWS`."""
        found = self._chosen.get(query)
        if found is None:
            self._chosen[query] = found = Dependencies()
            for branch in query.branches:
                found.absorb(self.chosen(branch), CHOSEN)
            if query.branches and not isinstance(query.tree, exp.Union):
                right = query.branches[1]
                for at in range(len(right.outputs or ())):
                    found.absorb(self._tracer.output(right, at), CHOSEN)
            elif not query.branches:
                read = Dependencies()
                self._choose(query, read)
                # A row that GROUP BY makes is there if a row of its group is.
                group = Shift(("group", query)) if query.tree.args.get("group") is not None else None
                found.absorb(read, CHOSEN, self.move(_CHOSEN.through(group)))
        return found

    def counted(self, query: Query, argument: exp.Expr | None) -> Dependencies:
        """Return what decided which rows of `query` an aggregate reads, those left out where `argument` is null."""
        found = self._counted.get(query)
        if found is None:
            self._counted[query] = found = Dependencies()
            self._choose(query, found)
            for join in query.joins:
                if _keeps_all(join) and join.on is not None:
                    read_expression(Reading(self._tracer, query, found), join.on, None, _CHOSEN)
                for relation in join.relations if _keeps_all(join) else ():
                    self._choose_rows(relation, query, found)
        dead = frozenset() if argument is None else null_rows(argument, self.moments, self._tracer.analysis.meanings)
        if not dead:
            return found
        kept = Dependencies()
        kept.absorb(found, CHOSEN, lambda reach, bounds: None if reach.row in dead else (reach, bounds))
        return kept

    def _choose(self, query: Query, found: Dependencies) -> None:
        args = query.tree.args
        reading = Reading(self._tracer, query, found)
        clauses = [args[name] for name in ("where", "having", "qualify") if args.get(name) is not None]
        clauses += [join.on for join in query.joins if join.on is not None and not _keeps_all(join)]
        if args.get("limit") is not None and args.get("order") is not None:
            clauses.append(args["order"])
        for clause in clauses:
            read_expression(reading, clause, None, _CHOSEN)
        kept = {relation for join in query.joins if _keeps_all(join) for relation in join.relations}
        for join in query.joins:
            for relation, name in join.keys if not _keeps_all(join) else ():
                self._tracer.read(relation, name, None, _CHOSEN, found)
        for relation in query.reads.relations:
            if relation not in kept:
                self._choose_rows(relation, query, found)

    def _choose_rows(self, relation: Relation, query: Query, found: Dependencies) -> None:
        origin = relation.origin
        inner = Dependencies()
        if isinstance(origin, Query):
            inner.absorb(self.chosen(origin), CHOSEN)
        elif origin:
            inner.add(Reach(origin, ROWS, self.moments.names.name(relation)), CHOSEN)
        found.absorb(inner, CHOSEN, self.move(_CHOSEN, relation, query))


def _keeps_all(join: Join) -> bool:
    """Return whether a join leaves out no row of its left side."""
    return join.side in ("LEFT", "FULL") and join.kind not in ("SEMI", "ANTI")
