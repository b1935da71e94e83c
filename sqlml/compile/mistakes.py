"""Mistakes in learning that a compiler can see: an ML model and its lineage in, diagnostics L001 to L007 out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlml.compile.findings import Finding
from sqlml.compile.knowledge import KnowledgeReader, Origin, Way, show_path
from sqlml.ir.dag import Dag, MlNode, SourceNode, SqlNode
from sqlml.ir.lineage import ColumnRef, Kind, Lineage, LooksAhead
from sqlml.ir.location import SourceLocation


class MistakeFinder:
    """Judges the ML models of one Dag.

    Args:
        lineage: of the ML models and of every node above them.
        features: ML model id to its features; None where unknown: nothing is said then.
    """

    def __init__(self, dag: Dag, lineage: Lineage, features: Mapping[str, tuple[str, ...] | None]) -> None:
        self._dag = dag
        self._lineage = lineage
        self._features = features
        self._readers: dict[frozenset[ColumnRef], KnowledgeReader] = {}
        self._unique = frozenset(_unique_columns(dag))

    def find(self, node: MlNode) -> Iterator[Finding]:
        """Yield what is doubtful about the ML model `node`."""
        ml_model = node.ml_model
        yield from self._check_split(node)
        allowed = {name.lower() for name in ml_model.allow_leakage}
        # Without a label or a moment of prediction, an ML model describes what was, and there is no future to know.
        predicts = ml_model.label is not None or ml_model.event_time is not None
        knowledge = self._knowledge_at(node)
        for feature in self._features.get(node.id) or ():
            ref = ColumnRef(node.id, feature)
            if predicts and feature.lower() not in allowed:
                yield from self._check_leaks(node, ref, knowledge)
            yield from self._check_key(node, ref)
            if ml_model.event_time is not None:
                yield from self._check_windows(node, ref)

    def _check_leaks(self, node: MlNode, ref: ColumnRef, knowledge: KnowledgeReader) -> Iterator[Finding]:
        late = knowledge.lateness(ref)
        same = {origin: way for origin, way in late.same.items() if not knowledge.is_on_time(origin)}
        if same:
            origin, way = next(iter(same.items()))
            yield self._leak("L001", node, ref, origin, way)
        elif late.others:
            origin, way = next(iter(late.others.items()))
            yield self._leak("L002", node, ref, origin, way)
        elif (shared := self._shared_with_label(node, ref, knowledge)) is not None:
            yield self._shared(node, ref, shared)

    def _knowledge_at(self, node: MlNode) -> KnowledgeReader:
        """Return what is known at the event time of the ML model."""
        names: frozenset[ColumnRef] = frozenset()
        event_time = node.ml_model.event_time
        if event_time is not None:
            columns = self._lineage.nodes[node.training_relation].columns
            name = next((column for column in columns if column.lower() == event_time.lower()), event_time)
            names = self._lineage.copies(ColumnRef(node.training_relation, name))
        if names not in self._readers:
            self._readers[names] = KnowledgeReader(self._dag, self._lineage, names)
        return self._readers[names]

    def _leak(self, code: str, node: MlNode, ref: ColumnRef, origin: Origin, way: Way) -> Finding:
        path = show_path((*way.path, *self._to_source(origin.ref)), self._dag.nodes)
        known = "after" if origin.at is None else f"{{at: {origin.at.column}}}"
        declared = len(way.path) - 1
        shown = " <- ".join([*path[:declared], f"{path[declared]} (known: {known})", *path[declared + 1 :]])
        name, feature = node.ml_model.name, ref.column
        allow = f"allow it with a reason: allow_leakage: {{{feature}: …}}"
        if code == "L001":
            what = f"ml model '{name}' learns from '{feature}', which is not known yet when it predicts: {shown}"
            fix = f"exclude '{feature}' from the features, or {allow}"
        else:
            late = f"'{origin.ref.column}' of other rows"
            what = f"feature '{feature}' of ml model '{name}' counts {late} that may not have been known yet: {shown}"
            what += _bounded_by(way)
            fix = f"{_bound_fix(origin)}, or {allow}"
        return Finding(code, what, self._place(node, feature), fix, node.id, path)

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


def _bounded_by(way: Way) -> str:
    texts = sorted({bound.text for bound in way.bounds})
    return f"; their rows are bounded by '{texts[0]}' only" if texts else ""


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
