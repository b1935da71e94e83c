"""What the conditions of a query promise of the rows that it reads: a Query in; what is earlier than what, out.

Before: `from s left join e on e.k = s.k and e.landed < s.dep`   After: rows of e landed before s.dep, rows of s may not
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from sqlml.compile.lineage.branches import dead_rows
from sqlml.compile.lineage.conditions import Comparison, conjuncts, holding
from sqlml.compile.lineage.dependencies import Bounds, Held, Promise
from sqlml.compile.lineage.moments import MomentReader
from sqlml.compile.lineage.rows import RowNames, Shift
from sqlml.compile.lineage.texts import text_of
from sqlml.compile.lineage.times import shift_times
from sqlml.compile.names import Target
from sqlml.compile.queries import Join, Query, Relation

Key = exp.Expr | tuple[Relation, str]
"""What a row is looked up by: an expression, or a column that USING names."""


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """What holds in one query.

    Attributes:
        promises: of the rows of each relation.
        finals: of the rows that HAVING and QUALIFY leave.
        keys: what each relation's row is looked up by.
        dead: rows that a condition leaves out: those of one side of a UNION.
    """

    promises: Mapping[Relation, tuple[Promise, ...]] = field(default_factory=dict)
    finals: tuple[Promise, ...] = ()
    keys: Mapping[Relation, tuple[Key, ...]] = field(default_factory=dict)
    dead: frozenset[int] = frozenset()


NO_FACTS = QueryFacts()
Meanings = Mapping[int, tuple[int, tuple[Target, ...]]]


class PromiseReader:
    """Reads what the conditions of one statement promise."""

    def __init__(self, moments: MomentReader, meanings: Meanings) -> None:
        self.moments = moments
        self._meanings = meanings
        self._facts: dict[Query, QueryFacts] = {}

    def facts(self, query: Query) -> QueryFacts:
        """Return what holds in `query`."""
        found = self._facts.get(query)
        if found is None:
            self._facts[query] = NO_FACTS
            found = self._facts[query] = self._find_facts(query)
        return found

    def of(self, query: Query | None, comparisons: Iterable[Comparison | exp.Column]) -> tuple[Promise, ...]:
        """Return what comparisons of timestamps promise; a column may be a comparison that was given a name."""
        found: list[Promise] = []
        for comparison in comparisons:
            if isinstance(comparison, exp.Column):
                found += self._named(comparison)
            elif (promise := self._promise(query, comparison)) is not None:
                found.append(promise)
        return tuple(found)

    def _promise(self, query: Query | None, comparison: Comparison) -> Promise | None:
        earlier = self.moments.times(query, comparison.earlier)
        later = self.moments.times(query, comparison.later)
        if not earlier.floors or not later.ceilings:
            return None
        gap = later.gap_s + comparison.gap_s
        text = "" if comparison.is_equal else text_of(comparison.earlier)
        return Promise(earlier.floors, later.ceilings, comparison.is_strict, gap, later.unit, text)

    def _named(self, column: exp.Column) -> Iterator[Promise]:
        used, targets = self._meanings.get(id(column), (0, ()))
        if len(targets) != 1 or used != len(column.parts):
            return
        owner, name = targets[0]
        if isinstance(owner, Query):
            yield from self._of_output(owner, int(name))
            return
        origin, columns = owner.origin, owner.columns
        if not isinstance(origin, Query) or columns is None or len(origin.outputs or ()) != len(columns):
            return
        at = next((at for at, given in enumerate(columns) if given.lower() == name), None)
        for promise in self._of_output(origin, at) if at is not None else ():
            yield _moved(promise, self.moments.names, Shift((owner,)))

    def _of_output(self, query: Query, at: int) -> Iterator[Promise]:
        node = (query.outputs or [])[at].node
        if not query.branches and not node.is_star:
            inner = node.this if isinstance(node, exp.Alias) else node
            yield from self.of(query, holding(inner))

    def _find_facts(self, query: Query) -> QueryFacts:
        args = query.tree.args
        relations = query.reads.relations
        promises: dict[Relation, tuple[Promise, ...]] = {}
        keys: dict[Relation, list[Key]] = {}
        where = args.get("where")
        joined = [(where.this, relations)] if where is not None else []
        joined += [(join.on, _bounded(join, relations)) for join in query.joins if join.on is not None]
        for condition, bounded in joined:
            found = self.of(query, holding(condition))
            for relation in bounded if found else ():
                promises[relation] = promises.get(relation, ()) + found
            for part in conjuncts(condition):
                self._note_keys(part, relations, keys)
        for join in query.joins:
            for relation, found in self._using(join, relations, keys):
                promises[relation] = promises.get(relation, ()) + found
        finals = [args[clause].this for clause in ("having", "qualify") if args.get(clause) is not None]
        dead = [
            dead_rows(part, query, self.moments, self._meanings) for part in (conjuncts(where.this) if where else ())
        ]
        return QueryFacts(
            promises,
            tuple([promise for condition in finals for promise in self.of(query, holding(condition))]),
            {relation: tuple(found) for relation, found in keys.items()},
            frozenset().union(*dead),
        )

    def _using(
        self, join: Join, relations: list[Relation], keys: dict[Relation, list[Key]]
    ) -> Iterator[tuple[Relation, tuple[Promise, ...]]]:
        """Yield what `using (day)` promises: the days of both sides are equal."""
        bounded = _bounded(join, relations)
        for right, name in [key for key in join.keys if key[0] in join.relations]:
            for left, other in join.keys:
                if other != name or left in join.relations:
                    continue
                keys.setdefault(right, []).append((left, name))
                for one, two in ((right, left), (left, right)):
                    earlier, later = self.moments.column(one, name), self.moments.column(two, name)
                    if one in bounded and earlier.floors and later.ceilings:
                        promise = Promise(earlier.floors, later.ceilings, gap_s=later.gap_s, unit=later.unit)
                        yield one, (promise,)

    def _note_keys(self, part: exp.Expr, relations: list[Relation], keys: dict[Relation, list[Key]]) -> None:
        """Note that the relation that comes last in FROM is looked up by what `part` reads of the others."""
        columns = []
        for column in part.find_all(exp.Column):
            owners = [owner for owner, _ in self._meanings.get(id(column), (0, ()))[1] if isinstance(owner, Relation)]
            columns += [(column, owner) for owner in owners if owner in relations]
        if len({owner for _, owner in columns}) > 1:
            last = max((owner for _, owner in columns), key=relations.index)
            keys.setdefault(last, []).extend([column for column, owner in columns if owner is not last])


def _bounded(join: Join, relations: list[Relation]) -> list[Relation]:
    """Return the relations of whose rows only those are left for which the join's condition holds."""
    if join.side == "LEFT" or join.kind == "ANTI":
        return list(join.relations)
    if join.side == "RIGHT":
        return [relation for relation in relations if relation not in join.relations]
    return [] if join.side == "FULL" else relations


def _moved(promise: Promise, names: RowNames, shift: Shift) -> Promise:
    floors = shift_times(promise.floors, names, shift)
    return replace(promise, floors=floors, moment=shift_times(promise.moment, names, shift))


def hold(promises: Iterable[Promise], row: int, bounds: Bounds, names: RowNames) -> Bounds:
    """Return `bounds` of something read from `row`, and what `promises` say of that row."""
    rows = names.covering(row)
    added = set()
    for promise in promises:
        floors = frozenset([at._replace(row=0) for at in promise.floors if at.row in rows])
        if floors:
            added.add(Held(floors, promise.moment, promise.is_strict, promise.gap_s, promise.unit, promise.text))
        for held in bounds:
            # What was known at a moment is known at all later ones.
            if any(
                at[:2] == moment[:2] and not at.slack and at.row in names.covering(moment.row)
                for at in promise.floors
                for moment in held.moment
            ):
                is_strict = held.is_strict and bool(held.unit)
                added.add(replace(held, moment=promise.moment, is_strict=is_strict))
    return bounds | added if added else bounds


def move_bounds(bounds: Bounds, names: RowNames, shift: Shift) -> Bounds:
    """Return `bounds` of what is read through `shift`."""
    if not bounds:
        return bounds
    return frozenset([replace(held, moment=shift_times(held.moment, names, shift)) for held in bounds])
