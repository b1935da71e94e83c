"""Mistakes in learning that a compiler can see: an ML model and its lineage in, diagnostics L001 to L007 out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlml.compile.facts import Facts
from sqlml.compile.findings import Finding
from sqlml.compile.knowledge import KnowledgeReader, Late, Origin, Sense, show_path
from sqlml.ir.dag import Dag, MlNode, SourceNode, SqlNode
from sqlml.ir.lineage import ROWS, ColumnRef, Kind, Lineage, LooksAhead
from sqlml.ir.location import SourceLocation

_CODES = {Sense.SAME: "L001", Sense.OTHERS: "L002", Sense.LOOKUP: "L008"}


class MistakeFinder:
    """Judges the ML models of one Dag.

    Args:
        lineage: of the ML models and of every node above them.
        facts: features of ML models and types of columns; of ML models without known features nothing is said.
    """

    def __init__(self, dag: Dag, lineage: Lineage, facts: Facts) -> None:
        self._dag = dag
        self._lineage = lineage
        self._facts = facts
        self._readers: dict[ColumnRef | None, KnowledgeReader] = {}
        self._unique = frozenset(_unique_columns(dag))

    def find(self, node: MlNode) -> Iterator[Finding]:
        """Yield what is doubtful about the ML model `node`."""
        ml_model = node.ml_model
        yield from self._check_split(node)
        allowed = {name.lower() for name in ml_model.allow_leakage}
        # Without a label or a moment of prediction, an ML model describes what was, and there is no future to know.
        predicts = ml_model.label is not None or ml_model.event_time is not None
        knowledge = self._knowledge_at(node)
        features = self._facts.features.get(node.id) or ()
        honest = []
        for feature in features:
            ref = ColumnRef(node.id, feature)
            if predicts and feature.lower() not in allowed:
                leaks = list(self._check_leaks(node, ref, knowledge))
                honest += [] if leaks else [feature]
                yield from leaks
            yield from self._check_key(node, ref)
            if ml_model.event_time is not None:
                yield from self._check_windows(node, ref)
        if predicts and features:
            yield from self._check_choices(node, honest, knowledge)

    def _check_leaks(self, node: MlNode, ref: ColumnRef, knowledge: KnowledgeReader) -> Iterator[Finding]:
        for sense, code in _CODES.items():
            for origin, late in knowledge.untimely(self._in_training(node, ref.column), sense):
                yield self._leak(code, node, ref, origin, late)
                return
        shared = self._shared_with_label(node, ref, knowledge)
        if shared is not None:
            yield self._shared(node, ref, shared)

    def _check_choices(self, node: MlNode, features: Sequence[str], knowledge: KnowledgeReader) -> Iterator[Finding]:
        """Yield each late column that decided which rows there are, or which are read, once."""
        seen: set[Origin] = set()
        rows = ColumnRef(node.training_relation, ROWS)
        for ref in (rows, *[self._in_training(node, feature) for feature in features]):
            for origin, late in knowledge.untimely(ref, Sense.CHOICE):
                if origin not in seen:
                    seen.add(origin)
                    yield self._choice(node, ref, origin, late)

    def _in_training(self, node: MlNode, name: str) -> ColumnRef:
        """Return a column of the training relation as that spells it."""
        columns = self._lineage.nodes[node.training_relation].columns
        return ColumnRef(node.training_relation, next((own for own in columns if own.lower() == name.lower()), name))

    def _knowledge_at(self, node: MlNode) -> KnowledgeReader:
        """Return what is known at the event time of the ML model."""
        event_time = node.ml_model.event_time
        moment = None if event_time is None else self._in_training(node, event_time)
        if moment not in self._readers:
            self._readers[moment] = KnowledgeReader(self._dag, self._lineage, self._facts, moment)
        return self._readers[moment]

    def _leak(self, code: str, node: MlNode, ref: ColumnRef, origin: Origin, late: Late) -> Finding:
        path, shown = self._show((ref, *late.path), origin)
        name, feature = node.ml_model.name, ref.column
        allow = f"allow it with a reason: allow_leakage: {{{feature}: …}}"
        what = f"ml model '{name}' learns from '{feature}', which is not known yet when it predicts: {shown}"
        fix = f"exclude '{feature}' from the features, or {allow}"
        if code == "L002":
            late_column = f"'{origin.ref.column}' of other rows"
            counts = f"counts {late_column} that may not have been known yet: {shown}"
            what = f"feature '{feature}' of ml model '{name}' {counts}{self._bounded_by(late, node)}"
            fix = f"{_bound_fix(origin)}, or {allow}"
        elif code == "L008":
            what = f"feature '{feature}' of ml model '{name}' is looked up by what is not known yet: {shown}"
            fix = f"look it up by what is known, or {allow}"
        return Finding(code, what, self._place(node, feature), fix, node.id, path)

    def _choice(self, node: MlNode, ref: ColumnRef, origin: Origin, late: Late) -> Finding:
        path, shown = self._show(late.path, origin)
        name = node.ml_model.name
        what = f"ml model '{name}' learns from rows that were chosen by what is not known yet when it predicts: {shown}"
        fix = "choose them by what is known; or, if the label is missing, leave that to null_label: drop"
        if ref.column:
            feature = f"feature '{ref.column}' of ml model '{name}'"
            what = f"{feature} is computed from rows that were chosen by what may not have been known yet: {shown}"
            fix = f"choose them by what is known, or allow it with a reason: allow_leakage: {{{ref.column}: …}}"
        return Finding("L009", what, self._place(node, ref.column), fix, node.id, path)

    def _show(self, path: Sequence[ColumnRef], origin: Origin) -> tuple[tuple[str, ...], str]:
        """Return a path to where the data comes from, and its text."""
        titles = show_path((*path, *self._to_source(origin.ref)), self._dag.nodes)
        known = "after" if origin.at is None else f"{{at: {origin.at.column}}}"
        declared = len(path) - 1
        shown = " <- ".join([*titles[:declared], f"{titles[declared]} (known: {known})", *titles[declared + 1 :]])
        return titles, shown

    def _bounded_by(self, late: Late, node: MlNode) -> str:
        """Return what the rows are bounded by, if that is not enough."""
        moments = sorted([moment for moment in late.moments if moment.node_id])
        if moments:
            event_time = node.ml_model.event_time
            until = f"the event_time '{event_time}'" if event_time is not None else "the prediction"
            moment = show_path(moments[:1], self._dag.nodes)[0]
            return f"; their rows are bounded by '{moment}', which may be later than {until}"
        texts = sorted(late.bounds)
        return f"; their rows are bounded by '{texts[0]}' only" if texts else ""

    def _to_source(self, ref: ColumnRef) -> Iterator[ColumnRef]:
        """Yield the columns that `ref` was copied from, so that a path ends where the data comes from."""
        while True:
            edges = [edge for edge in self._lineage.edges(ref) if edge.kind is Kind.VALUE]
            if len(edges) != 1 or not edges[0].is_copy:
                return
            ref = edges[0].source
            yield ref

    def _shared_with_label(self, node: MlNode, ref: ColumnRef, knowledge: KnowledgeReader) -> ColumnRef | None:
        """Return a source column without `known:` that the feature and the label are both computed from."""
        label = node.ml_model.label
        if label is None:
            return None
        own = self._lineage.nodes[node.id].columns
        name = next((column for column in own if column.lower() == label.lower()), label)
        shared = self._lineage.roots(ref) & self._lineage.roots(ColumnRef(node.id, name))
        return next((root for root in sorted(shared) if not knowledge.is_declared(root)), None)

    def _shared(self, node: MlNode, ref: ColumnRef, shared: ColumnRef) -> Finding:
        path = show_path(self._path(ref, shared), self._dag.nodes)
        name, feature = node.ml_model.name, ref.column
        what = (
            f"feature '{feature}' of ml model '{name}' and its label both come from '{path[-1]}', which does not say "
            f"when it is known: {' <- '.join(path)}"
        )
        fix = f"declare known: on '{path[-1]}', or allow it with a reason: allow_leakage: {{{feature}: …}}"
        return Finding("L003", what, self._place(node, feature), fix, node.id, path)

    def _path(self, start: ColumnRef, end: ColumnRef) -> tuple[ColumnRef, ...]:
        """Return the shortest path of values from `start` up to `end`."""
        before: dict[ColumnRef, ColumnRef] = {start: start}
        todo = [start]
        for at in todo:
            for edge in self._lineage.edges(at):
                if edge.kind is Kind.VALUE and edge.source not in before:
                    before[edge.source] = at
                    todo.append(edge.source)
        path = [end]
        while path[-1] != start:
            path.append(before[path[-1]])
        return tuple(reversed(path))

    def _check_key(self, node: MlNode, ref: ColumnRef) -> Iterator[Finding]:
        copies = sorted(self._lineage.copies(ref))
        found = next((copy for copy in copies if (copy.node_id, copy.column.lower()) in self._unique), None)
        if found is not None:
            whole = show_path([found], self._dag.nodes)[0]
            what = f"feature '{ref.column}' of ml model '{node.ml_model.name}' is the key '{whole}': it names the row"
            fix = f"give it the role (keys: [{ref.column}]), or exclude it from the features"
            yield Finding("L004", what, self._place(node, ref.column), fix, node.id)

    def _check_windows(self, node: MlNode, ref: ColumnRef) -> Iterator[Finding]:
        for owner, column, ahead in self._windows(ref):
            what = (
                f"feature '{ref.column}' of ml model '{node.ml_model.name}' comes from a window of '{owner.name}' "
                f"('{column}') that looks ahead: {ahead.reason}"
            )
            fix = "order it by time and end its frame before the current row, or use known_window"
            yield Finding("L005", what, owner.sql.locate(ahead.offset), fix, node.id)

    def _windows(self, ref: ColumnRef) -> Iterator[tuple[SqlNode, str, LooksAhead]]:
        seen = {ref}
        todo = [ref]
        for at in todo:
            owner = self._dag.nodes[at.node_id]
            if isinstance(owner, SqlNode):
                for ahead in self._lineage.nodes[at.node_id].ahead.get(at.column, ()):
                    yield owner, at.column, ahead
            for edge in self._lineage.edges(at):
                if edge.kind in (Kind.VALUE, Kind.OTHER_ROWS) and edge.source not in seen:
                    seen.add(edge.source)
                    todo.append(edge.source)

    def _check_split(self, node: MlNode) -> Iterator[Finding]:
        ml_model = node.ml_model
        by = ml_model.split.by
        if ml_model.event_time is None or by not in ("hash", "column"):
            return
        what = f"ml model '{ml_model.name}' has an event_time, but its hold-out is chosen by {by}, and not by time"
        fix = "write split: {by: time}, or remove 'split:', which does the same"
        yield Finding("L006", what, ml_model.places.value_of("split.by"), fix, node.id)

    @staticmethod
    def _place(node: MlNode, feature: str) -> SourceLocation:
        places = node.ml_model.places
        for at, name in enumerate(node.ml_model.include):
            if name.lower() == feature.lower():
                key = f"features.{at}"
                return places.value_of(key if key in places.keys else f"features.include.{at}")
        return places.value_of("features" if "features" in places.keys else "training_data")


def _bound_fix(origin: Origin) -> str:
    if origin.at is None:
        return f"say from when '{origin.ref.column}' is known (known: {{at: COLUMN}}) and call known_window with that"
    return f"call known_window or asof_join with known_at='{origin.at.column}'"


def _unique_columns(dag: Dag) -> Iterator[tuple[str, str]]:
    """Yield node id and name (lower case) of the columns that name a row of their relation."""
    for node in dag.nodes.values():
        names: list[str] = []
        if isinstance(node, SourceNode):
            names += node.source.keys if len(node.source.keys) == 1 else ()
        names += [
            test.column for test in node.data_tests if test.kind == "unique" and test.column and test.where is None
        ]
        for name in names:
            yield node.id, name.lower()
