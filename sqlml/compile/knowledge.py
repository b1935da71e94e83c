"""Time of knowledge: lineage and `known:` declarations in; for each column, the late columns that reach it out.

A column is late if it is declared `known: after` or `known: {at: …}`, or is computed from a late one: what is computed
from several columns is known when the last of them is. A declaration on a SQL model's column replaces what the column
inherits. What is late is so no longer where a condition, a join or a window lets only those rows through that were
known by the moment of prediction; if they were known by another column, then what they give is known by that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlml.compile.facts import Facts
from sqlml.compile.lineage.units import coarser, is_whole, unit_s
from sqlml.ir.dag import Dag, Node
from sqlml.ir.lineage import ROWS, Bound, ColumnRef, Influence, Kind, Lineage, NodeLineage, TimeRef, Way
from sqlml.ir.project import Known


class Sense(StrEnum):
    """How a late column reaches another one, the worst first.

    `same`: by values of the same row. `others`: by values of other rows. `count`: by how many rows were chosen by it.
    `lookup`: it decides where a value is looked up. `choice`: it decides which rows are there, or are read.
    """

    SAME = "same"
    OTHERS = "others"
    COUNT = "count"
    LOOKUP = "lookup"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Origin:
    """A column that is declared to be known late.

    Attributes:
        at: the timestamp from which it is known; None: after the event.
    """

    ref: ColumnRef
    at: ColumnRef | None


@dataclass(frozen=True, slots=True)
class Late:
    """How an origin reaches a column.

    Attributes:
        path: columns from the one that is reached to the origin; `ROWS` of a node where it decides about its rows.
        known_by: columns (lower case) of the same node that are no earlier than the time at which it is known, each
            with the unit that it is earlier by less than.
        bounds: what the rows were bounded by on the way, though not by the time at which they were known.
        moments: what they were bounded by that time to, though not to the moment of prediction.
    """

    path: tuple[ColumnRef, ...]
    known_by: Mapping[str, str] = field(default_factory=dict)
    bounds: frozenset[str] = frozenset()
    moments: frozenset[ColumnRef] = frozenset()


Lateness = Mapping[tuple[Origin, Sense], Late]


class KnowledgeReader:
    """Finds the lateness of columns of one Dag; each column once.

    Args:
        lineage: of every node that is asked for and of all above it.
        facts: types of columns.
        event_time: the moment of prediction; None: none is declared, and any is right that is not itself late.
    """

    def __init__(self, dag: Dag, lineage: Lineage, facts: Facts, event_time: ColumnRef | None = None) -> None:
        self._lineage = lineage
        self._facts = facts
        self._declared = dict(_declared_in(dag.nodes.values()))
        self._event_time = event_time
        self._before_event = frozenset() if event_time is None else self._follow(event_time, is_down=True)
        self._found: dict[ColumnRef, Lateness] = {}
        self._due: dict[ColumnRef, bool] = {}
        self._later: dict[str, dict[tuple[ColumnRef, int], list[tuple[str, TimeRef]]]] = {}

    def is_declared(self, ref: ColumnRef) -> bool:
        """Return whether the column itself says when it is known."""
        return (ref.node_id, ref.column.lower()) in self._declared

    def lateness(self, ref: ColumnRef) -> Lateness:
        """Return the late columns that reach `ref`; its column may be `ROWS`."""
        # Not by recursion: projects can be many layers deep.
        todo = [ref]
        while todo:
            at = todo[-1]
            missing = [source for source, *_ in self._sources(at) if source not in self._found]
            if at in self._found or not missing:
                if at not in self._found:
                    self._found[at] = self._find(at)
                todo.pop()
            else:
                todo += missing
        return self._found[ref]

    def untimely(self, ref: ColumnRef, sense: Sense) -> Iterator[tuple[Origin, Late]]:
        """Yield the late columns that reach `ref` in this sense and are not known at the moment of prediction."""
        for (origin, found), late in self.lateness(ref).items():
            if found is sense and not self._is_on_time(ref.node_id, late.known_by):
                yield origin, late

    def _is_on_time(self, node_id: str, known_by: Mapping[str, str]) -> bool:
        if self._event_time is None:
            return False
        return any(not slack and self._is_due(self._own(node_id, name)) for name, slack in known_by.items())

    def _sources(self, ref: ColumnRef) -> Iterator[tuple[ColumnRef, Mapping[Sense, Sense], tuple[Way, ...]]]:
        """Yield what `ref` is computed from or decided by, and what each sense becomes on the way."""
        node = self._lineage.nodes.get(ref.node_id)
        if node is None:
            return
        for edge in self._lineage.edges(ref) if ref.column != ROWS else ():
            if edge.kind in _BY_KIND:
                yield edge.source, _BY_KIND[edge.kind], edge.ways
        decisions = node.choices if ref.column == ROWS else node.decisions.get(ref.column, ())
        for decision in decisions:
            yield decision.source, _BY_INFLUENCE[decision.influence], decision.ways

    def _find(self, ref: ColumnRef) -> Lateness:
        found: dict[tuple[Origin, Sense], Late] = {}
        for source, becomes, ways in self._sources(ref):
            for (origin, sense), late in self._found[source].items():
                reached = self._through(ref, source, late, ways)
                if reached is not None:
                    key = (origin, becomes[sense])
                    found[key] = reached if key not in found else _either(found[key], reached)
        known = self._declared.get((ref.node_id, ref.column.lower()))
        if known is None:
            return found
        # What says the same again replaces nothing, so that paths lead to the source.
        values = [(origin.at, sense) for origin, sense in found if sense in (Sense.SAME, Sense.OTHERS)]
        if known.at is None and set(values) == {(None, Sense.SAME)}:
            return found
        at = None if known.at is None else self._own(ref.node_id, known.at.lower())
        # The time of something that happens is known when it happens.
        time = ref if at is None and self._facts.type_of(ref.node_id, ref.column) in _TIMES else at
        late = Late((ref,), {} if time is None else self._no_earlier(time))
        return {(Origin(ref, at), Sense.SAME): late}

    def _no_earlier(self, at: ColumnRef) -> dict[str, str]:
        """Return the columns of the same node that are no earlier than `at`."""
        node = self._lineage.nodes[at.node_id]
        found = {at.column.lower(): ""}
        for time in node.times[at.column].ceilings if at.column in node.times else ():
            for name, later in self._later_than(at.node_id, time.ref, time.row):
                found.setdefault(name, later.slack)
        return found

    def _through(self, ref: ColumnRef, source: ColumnRef, late: Late, ways: tuple[Way, ...]) -> Late | None:
        """Return what `late` is once it came from `source` to `ref`; None: it was known in time on all ways."""
        path = (ref, *late.path)
        if not ways:
            return Late(path, {}, late.bounds, late.moments)
        reached: Late | None = None
        for way in ways:
            found = self._on_way(ref, source, late, way)
            if found is not None:
                reached = found if reached is None else _either(reached, found)
        return None if reached is None else replace(reached, path=path)

    def _on_way(self, ref: ColumnRef, source: ColumnRef, late: Late, way: Way) -> Late | None:
        right = [bound for bound in way.bounds if self._is_by_its_time(bound, source.node_id, late.known_by)]
        moments = {moment for bound in right for moment in bound.moment}
        if any(self._is_due(moment.ref) for moment in moments):
            return None
        known_by: dict[str, str] = {}
        for moment in moments:
            for name, later in self._later_than(ref.node_id, moment.ref, moment.row):
                _note(known_by, name, later.slack)
        for column, slack in late.known_by.items():
            for row in way.rows:
                for name, later in self._later_than(ref.node_id, self._own(source.node_id, column), row):
                    _note(known_by, name, _together(slack, later))
        texts = {bound.text for bound in way.bounds if bound not in right and bound.text}
        return Late((), known_by, late.bounds | texts, late.moments | {moment.ref for moment in moments})

    def _is_by_its_time(self, bound: Bound, node_id: str, known_by: Mapping[str, str]) -> bool:
        """Return whether `bound` says that what is known by `known_by` was so at the moment."""
        for at in bound.known_at:
            own = known_by.get(at.ref.column.lower()) if at.ref.node_id == node_id else None
            if own is not None and _spans(bound, _together(own, at)):
                return True
        return False

    def _later_than(self, node_id: str, ref: ColumnRef, row: int) -> list[tuple[str, TimeRef]]:
        """Return the columns (lower case) of a node that are no earlier than a parent's column, and how much later."""
        index = self._later.get(node_id)
        if index is None:
            index = self._later[node_id] = {}
            node = self._lineage.nodes.get(node_id) or NodeLineage({})
            for name, times in node.times.items():
                for time in times.floors:
                    index.setdefault((time.ref, time.row), []).append((name.lower(), time))
        return index.get((ref, row), [])

    def _is_due(self, ref: ColumnRef) -> bool:
        """Return whether a timestamp is no later than the moment of prediction."""
        found = self._due.get(ref)
        if found is None:
            # What asks for itself on the way is not known to be.
            self._due[ref] = False
            found = self._due[ref] = self._find_due(ref)
        return found

    def _find_due(self, ref: ColumnRef) -> bool:
        if self._event_time is None:
            late = {sense for _, sense in self.lateness(ref)} if ref.node_id else set()
            return not late & {Sense.SAME, Sense.OTHERS}
        after = self._follow(ref, is_down=False)
        if after & self._before_event:
            return True
        # The same time, computed once more from the same columns.
        roots = self._lineage.roots(ref)
        is_same = bool(roots) and roots == self._lineage.roots(self._event_time)
        return (
            is_same
            and not (after & self._ancestors(self._event_time))
            and not (self._before_event & self._ancestors(ref))
        )

    def _ancestors(self, ref: ColumnRef) -> set[ColumnRef]:
        found: set[ColumnRef] = set()
        todo = [ref]
        while todo:
            for edge in self._lineage.edges(todo.pop()):
                if edge.kind is Kind.VALUE and edge.source not in found:
                    found.add(edge.source)
                    todo.append(edge.source)
        return found

    def _follow(self, ref: ColumnRef, *, is_down: bool) -> frozenset[ColumnRef]:
        """Return the columns that `ref` is no earlier than (down), or no later than, itself included."""
        found = {ref}
        todo = [ref]
        while todo:
            at = todo.pop()
            node = self._lineage.nodes.get(at.node_id)
            times = node.times.get(at.column) if node is not None else None
            following: Iterable[TimeRef] = () if times is None else times.floors if is_down else times.ceilings
            for time in following:
                if time.ref not in found and not (is_down and time.slack):
                    found.add(time.ref)
                    todo.append(time.ref)
        return frozenset(found)

    def _own(self, node_id: str, name: str) -> ColumnRef:
        """Return a column as its node spells it."""
        node = self._lineage.nodes.get(node_id)
        own = next((column for column in (node.columns if node else ()) if column.lower() == name), name)
        return ColumnRef(node_id, own)


_TIMES = ("timestamp", "timestamp_ntz")


_BY_KIND: Mapping[Kind, Mapping[Sense, Sense]] = {
    Kind.VALUE: {sense: sense for sense in Sense},
    Kind.OTHER_ROWS: {sense: sense for sense in Sense} | {Sense.SAME: Sense.OTHERS},
}
_BY_INFLUENCE: Mapping[Influence, Mapping[Sense, Sense]] = {
    Influence.LOOKUP: dict.fromkeys(Sense, Sense.LOOKUP) | {Sense.CHOICE: Sense.CHOICE},
    Influence.COUNT: dict.fromkeys(Sense, Sense.COUNT),
    Influence.CHOICE: dict.fromkeys(Sense, Sense.CHOICE),
}


def _either(one: Late, other: Late) -> Late:
    """Return what is known of a column that is reached in two ways."""
    both = {
        name: coarser(slack, other.known_by[name]) for name, slack in one.known_by.items() if name in other.known_by
    }
    return Late(one.path or other.path, both, one.bounds | other.bounds, one.moments | other.moments)


def _note(known_by: dict[str, str], name: str, slack: str) -> None:
    """Note that `name` is no earlier, keeping the shorter slack."""
    before = known_by.get(name)
    if before is None or unit_s(slack) < unit_s(before):
        known_by[name] = slack


def _together(slack: str, later: TimeRef) -> str:
    """Return the slack of a column to another one that is `later` than what it has `slack` to."""
    return later.slack if slack and unit_s(slack) <= later.gain_s else coarser(slack, later.slack)


def _spans(bound: Bound, slack: str) -> bool:
    """Return whether the moment lies behind the whole unit that something was cut off to."""
    if not slack or unit_s(slack) <= bound.gap_s:
        return True
    return bound.is_strict and (bound.unit == "*" or is_whole(slack, bound.unit))


def _declared_in(nodes: Iterable[Node]) -> Iterable[tuple[tuple[str, str], Known]]:
    for node in nodes:
        for column in node.declared_columns:
            if column.known is not None:
                yield (node.id, column.name.lower()), column.known


def declares_knowledge(dag: Dag) -> bool:
    """Return whether any column says when it is known."""
    return next(iter(_declared_in(dag.nodes.values())), None) is not None


def show_path(path: Iterable[ColumnRef], nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """Return the columns of a path as a user calls them: `flight_features.dep_delay`; of rows, the node alone."""
    names = [nodes[ref.node_id].name for ref in path]
    return tuple([f"{name}.{ref.column}" if ref.column else name for name, ref in zip(names, path, strict=True)])
