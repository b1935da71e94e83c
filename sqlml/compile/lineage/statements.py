"""Follows the outputs of one statement to the columns of its parents: an Analysis in, Dependencies of each output out.

Before: `with a as (select k, sum(x) as s from t where w > 0 group by k) select k, s / 2 as half from a`
After:  k <- value of t.k; half <- other rows' t.x; and t.w and t.k decide about the rows of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from sqlml.compile.facts import ColumnFacts
from sqlml.compile.lineage.dependencies import FILTER, LOOKUP, OTHER_ROWS, VALUE, Bounds, Dependencies, Move, Reach
from sqlml.compile.lineage.expressions import read_expression
from sqlml.compile.lineage.joins import other_relations
from sqlml.compile.lineage.judging import StatementJudge
from sqlml.compile.lineage.reading import ITSELF, Path, Reading
from sqlml.compile.queries import Output, Query, Relation
from sqlml.compile.scopes import Analysis

_CLAUSES = ("where", "group", "having", "qualify")
_DECIDES = Path(FILTER)


class StatementTracer:
    """Follows the outputs of one statement; each output of each of its queries is followed once.

    Args:
        parents: what is known of the columns that it reads, if time of knowledge is to be judged.
    """

    def __init__(self, analysis: Analysis, parents: Mapping[str, ColumnFacts] | None = None) -> None:
        self.analysis = analysis
        self._judge = None if parents is None else StatementJudge(self, parents)
        self._outputs: dict[tuple[Query, int, str | None], Dependencies] = {}
        self._rows: dict[Query, Mapping[Reach, Bounds]] = {}
        self._prepared: set[Query] = set()
        self._homes: dict[Relation, Query] = {}
        self._others: set[Relation] = set()
        self._positions: dict[Relation, dict[str, list[int]]] = {}

    def judge(self) -> StatementJudge | None:
        """Return what reads time of knowledge; None where it is not judged."""
        return self._judge

    def move(self, path: Path) -> Move | None:
        """Return what happens on `path` to what is read at its end; None: nothing."""
        return None if self._judge is None else self._judge.move(path)

    def rows(self, query: Query) -> Mapping[Reach, Bounds]:
        """Return the columns that decide which rows `query` has, how they are grouped and what they are joined to."""
        found = self._rows.get(query)
        if found is None:
            self._prepare(query)
            # A query never reads itself: an alias of its own is an output.
            self._rows[query] = {}
            found = self._rows[query] = self._find_rows(query).of(FILTER)
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
                found.is_copy = self.read(relation, name, field, ITSELF, found)
            found.is_copy = found.is_copy and len(output.reads.columns) == 1
        else:
            reading = Reading(self, query, found)
            finals = () if self._judge is None else self._judge.facts(query).finals
            read_expression(reading, output.node, field, ITSELF.through(finals))
            if isinstance(item := _bare(output.node), exp.Column):
                found.is_copy = reading.is_copy(item)

    def read(self, relation: Relation, name: str, field: str | None, path: Path, found: Dependencies) -> bool:
        """Note in `found` what the column `name` of `relation` depends on, and return whether it is a copy."""
        is_own = path.kind == VALUE
        if is_own and relation in self._others:
            path = path.at_best(OTHER_ROWS)
            is_own = False
        home = self._homes.get(relation)
        move = None if self._judge is None else self._judge.move(path, relation, home)
        if self._judge is not None and home is not None and path.kind < FILTER:
            found.absorb(self._judge.keys(relation, home), LOOKUP, self._judge.move(path))
        origin = relation.origin
        if isinstance(origin, str):
            if name == "*" or relation.columns is None or _is_renamed_blindly(relation):
                found.unknown |= {origin} if origin else set()
            elif origin:
                self._read_node(relation, Reach(origin, relation.own_name(name)), path.kind, move, found)
            return is_own
        if origin is None:
            self._read_made(relation, field, path, found)
            return False
        outputs, columns = origin.outputs, relation.columns
        if outputs is None or columns is None or len(outputs) != len(columns) or name == "*":
            found.absorb(self.unknown(origin), path.kind)
            return False
        is_copy = False
        for at in self._positions_of(relation, columns).get(name, ()):
            inner = self.output(origin, at, field)
            found.absorb(inner, path.kind, move)
            is_copy = inner.is_copy
        return is_copy and is_own

    def _read_node(self, relation: Relation, reach: Reach, kind: int, move: Move | None, found: Dependencies) -> None:
        if self._judge is None or move is None:
            found.add(reach, kind)
            return
        moved = move(reach._replace(row=self._judge.moments.names.name(relation)), frozenset())
        if moved is not None:
            found.add(moved[0], kind, moved[1])

    def _positions_of(self, relation: Relation, columns: tuple[str, ...]) -> dict[str, list[int]]:
        found = self._positions.get(relation)
        if found is None:
            found = self._positions[relation] = {}
            for at, column in enumerate(columns):
                found.setdefault(column.lower(), []).append(at)
        return found

    def _read_made(self, relation: Relation, field: str | None, path: Path, found: Dependencies) -> None:
        if relation.made_of is None:
            return
        # Arguments of a generator in FROM are read in the scope that it stands in: their meanings are known.
        read_expression(Reading(self, None, found), relation.made_of, field, path)

    def _prepare(self, query: Query) -> None:
        """Find out how the relations of `query` belong to each other, before any of its columns is followed."""
        if query in self._prepared:
            return
        self._prepared.add(query)
        self._homes.update(dict.fromkeys(query.reads.relations, query))
        self._others |= other_relations(query, self.analysis.meanings)

    def _find_rows(self, query: Query) -> Dependencies:
        found = Dependencies()
        if query.branches:
            for branch in query.branches:
                self._absorb_rows(branch, found, None)
            # EXCEPT, INTERSECT and UNION DISTINCT compare all columns.
            if query.is_whole:
                for at in range(len(query.outputs or ())):
                    found.absorb(self.output(query, at), FILTER)
        else:
            self._read_clauses(query, found)
        return found

    def _absorb_rows(self, query: Query, found: Dependencies, move: Move | None) -> None:
        found.absorb(Dependencies({FILTER: dict(self.rows(query))}), FILTER, move)

    def _read_clauses(self, query: Query, found: Dependencies) -> None:
        for relation in query.reads.relations:
            # In a LEFT JOIN too: how often a row of the left side comes depends on the rows of the right side.
            if isinstance(relation.origin, Query):
                move = None if self._judge is None else self._judge.move(_DECIDES, relation, query)
                self._absorb_rows(relation.origin, found, move)
            if relation.made_of is not None:
                self._read_made(relation, None, _DECIDES, found)
        args = query.tree.args
        clauses = [clause for name in _CLAUSES if (clause := args.get(name)) is not None]
        if args.get("limit") is not None and args.get("order") is not None:
            clauses.append(args["order"])
        for clause in (*clauses, *[join.on for join in query.joins if join.on is not None]):
            read_expression(Reading(self, query, found), clause, None, _DECIDES)
        for join in query.joins:
            for relation, name in join.keys:
                self.read(relation, name, None, _DECIDES, found)
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
                yield from [at for at in range(len(outputs)) if not self.output(query, at).of(OTHER_ROWS)]


def _is_renamed_blindly(relation: Relation) -> bool:
    """Return whether an alias list names the columns of a node that are not known."""
    return relation.named is not None and len(relation.named) != len(relation.columns or ())


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _bare(item: exp.Expr) -> exp.Expr:
    while isinstance(item, exp.Alias | exp.Paren):
        item = item.this
    return item
