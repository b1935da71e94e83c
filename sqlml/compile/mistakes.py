"""Mistakes in learning that a compiler can see: an ML model and its lineage in, diagnostics L001 to L007 out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlml.compile.facts import Facts
from sqlml.compile.findings import Finding
from sqlml.compile.knowledge import KnowledgeReader, Late, Origin, Sense, show_path
from sqlml.compile.look_ahead import WindowReader
from sqlml.compile.sql_reader import unique_of
from sqlml.errors import Shared
from sqlml.ir.dag import Dag, MlNode, SourceNode
from sqlml.ir.lineage import ROWS, ColumnRef, Kind, Lineage
from sqlml.ir.location import SourceLocation

_CODES = {Sense.SAME: "L001", Sense.OTHERS: "L002", Sense.COUNT: "L002", Sense.LOOKUP: "L008"}


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
        windows = self._windows_of(node)
        features = self._facts.features.get(node.id) or ()
        honest = []
        for feature in features:
            ref = ColumnRef(node.id, feature)
            if predicts and feature.lower() not in allowed:
                leaks = list(self._check_leaks(node, ref, knowledge))
                honest += [] if leaks else [feature]
                yield from leaks
            yield from self._check_key(node, ref)
            if windows is not None:
                yield from self._check_windows(node, ref, windows)
        if predicts and features:
            yield from self._check_choices(node, honest, knowledge)

    def _check_leaks(self, node: MlNode, ref: ColumnRef, knowledge: KnowledgeReader) -> Iterator[Finding]:
        choosing = {origin for origin, _ in knowledge.untimely(ColumnRef(node.training_relation, ROWS), Sense.CHOICE)}
        for sense in _CODES:
            for origin, late in knowledge.untimely(self._in_training(node, ref.column), sense):
                # That a count tells by what all rows were chosen is said of the rows.
                if sense is not Sense.COUNT or origin not in choosing:
                    yield self._leak(sense, node, ref, origin, late)
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

    def _windows_of(self, node: MlNode) -> WindowReader | None:
        event_time = node.ml_model.event_time
        if event_time is None:
            return None
        return WindowReader(self._dag, self._lineage, self._facts, self._in_training(node, event_time))

    def _leak(self, sense: Sense, node: MlNode, ref: ColumnRef, origin: Origin, late: Late) -> Finding:
        path, shown = self._show((ref, *late.path), origin)
        name, feature = node.ml_model.name, ref.column
        source, bounds = self._title(origin), self._bounded_by(late, node)
        if sense is Sense.SAME:
            what = f"ml model '{name}' learns from '{feature}', which is not known yet when it predicts: {shown}"
            all_of = f"{{count}} features of ml model '{name}' come from {source}, which is not known yet"
            fix, all_fix = f"exclude '{feature}' from the features", "exclude them from the features"
        elif sense is Sense.OTHERS:
            late_column = f"'{origin.ref.column}' of other rows that may not have been known yet"
            what = f"feature '{feature}' of ml model '{name}' counts {late_column}: {shown}{bounds}"
            all_of = f"{{count}} features of ml model '{name}' count {source} of other rows"
            all_of += f" that may not have been known yet{bounds}"
            fix = all_fix = _bound_fix(origin, late, node)
        elif sense is Sense.COUNT:
            what = f"feature '{feature}' of ml model '{name}' counts rows that were chosen by what may not have been "
            what += f"known yet: {shown}{bounds}"
            all_of = f"{{count}} features of ml model '{name}' count rows that were chosen by {source}, which may not "
            all_of += f"have been known yet{bounds}"
            fix = all_fix = _bound_fix(origin, late, node)
        else:
            what = f"feature '{feature}' of ml model '{name}' is looked up by what is not known yet: {shown}"
            all_of = f"{{count}} features of ml model '{name}' are looked up by {source}, which is not known yet"
            fix, all_fix = "look it up by what is known", "look them up by what is known"
        shared = Shared(all_of, _shortened(path[: len(late.path) + 1]), _or_allow(all_fix))
        place = self._place(node, feature)
        return Finding(_CODES[sense], what, place, _or_allow(fix, feature), node.id, path, shared)

    def _choice(self, node: MlNode, ref: ColumnRef, origin: Origin, late: Late) -> Finding:
        path, shown = self._show(late.path, origin)
        name = node.ml_model.name
        what = f"ml model '{name}' learns from rows that were chosen by what is not known yet when it predicts: {shown}"
        fix = "choose them by what is known; or, if the label is missing, leave that to null_label: drop"
        if ref.column:
            feature = f"feature '{ref.column}' of ml model '{name}'"
            what = f"{feature} is computed from rows that were chosen by what may not have been known yet: {shown}"
            fix = _or_allow("choose them by what is known", ref.column)
        return Finding("L009", what, self._place(node, ref.column), fix, node.id, path)

    def _title(self, origin: Origin) -> str:
        return f"'{show_path([origin.ref], self._dag.nodes)[0]}' (known: {_known(origin)})"

    def _show(self, path: Sequence[ColumnRef], origin: Origin) -> tuple[tuple[str, ...], str]:
        """Return a path to where the data comes from, and its text."""
        titles = show_path((*path, *self._to_source(origin.ref)), self._dag.nodes)
        declared = len(path) - 1
        origin_title = f"{titles[declared]} (known: {_known(origin)})"
        shown = " <- ".join([*titles[:declared], origin_title, *titles[declared + 1 :]])
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
        """Return a source column without `known:` that feature and label are both computed from, in any row."""
        label = node.ml_model.label
        if label is None:
            return None
        own = self._lineage.nodes[node.id].columns
        name = next((column for column in own if column.lower() == label.lower()), label)
        kinds = (Kind.VALUE, Kind.OTHER_ROWS)
        shared = self._lineage.roots(ref, kinds) & self._lineage.roots(ColumnRef(node.id, name), kinds)
        return next((root for root in sorted(shared) if not knowledge.is_declared(root)), None)

    def _shared(self, node: MlNode, ref: ColumnRef, shared: ColumnRef) -> Finding:
        path = show_path(self._path(ref, shared), self._dag.nodes)
        name, feature = node.ml_model.name, ref.column
        what = (
            f"feature '{feature}' of ml model '{name}' and its label both come from '{path[-1]}', which does not say "
            f"when it is known: {' <- '.join(path)}"
        )
        all_of = f"{{count}} features of ml model '{name}' and its label come from '{path[-1]}', which does not say "
        fix = f"declare known: on '{path[-1]}'"
        share = Shared(all_of + "when it is known", _shortened(path), _or_allow(fix))
        return Finding("L003", what, self._place(node, feature), _or_allow(fix, feature), node.id, path, share)

    def _path(self, start: ColumnRef, end: ColumnRef) -> tuple[ColumnRef, ...]:
        """Return the shortest path from `start` up to `end`."""
        before: dict[ColumnRef, ColumnRef] = {start: start}
        todo = [start]
        for at in todo:
            for edge in self._lineage.edges(at):
                if edge.kind in (Kind.VALUE, Kind.OTHER_ROWS) and edge.source not in before:
                    before[edge.source] = at
                    todo.append(edge.source)
        path = [end]
        while path[-1] != start:
            path.append(before[path[-1]])
        return tuple(reversed(path))

    def _check_key(self, node: MlNode, ref: ColumnRef) -> Iterator[Finding]:
        copies = sorted(self._lineage.copies(ref))
        keys = node.ml_model.keys
        of_key = self._lineage.copies(self._in_training(node, keys[0])) if len(keys) == 1 else ()
        found = next(
            (copy for copy in copies if (copy.node_id, copy.column.lower()) in self._unique or copy in of_key), None
        )
        if found is None and unique_of(self._dag, self._facts, node.training_relation) == frozenset(
            (ref.column.lower(),)
        ):
            found = self._in_training(node, ref.column)
        if found is not None:
            whole = show_path([found], self._dag.nodes)[0]
            what = f"feature '{ref.column}' of ml model '{node.ml_model.name}' is the key '{whole}': it names the row"
            fix = f"give it the role (keys: [{ref.column}]), or exclude it from the features"
            yield Finding("L004", what, self._place(node, ref.column), fix, node.id)

    def _check_windows(self, node: MlNode, ref: ColumnRef, windows: WindowReader) -> Iterator[Finding]:
        for owner, column, window, reason in windows.look_ahead(ref):
            name, place = node.ml_model.name, owner.sql.locate(window.offset)
            comes = f"comes from a window of '{owner.name}' ('{column}') that looks ahead: {reason}"
            what = f"feature '{ref.column}' of ml model '{name}' {comes}"
            fix = "order it by time and end its frame before the current row, or use known_window"
            all_of = f"{{count}} features of ml model '{name}' come from windows of '{owner.name}' that look ahead"
            all_of += f": {reason}"
            all_fix = "order them by time and end their frames before the current row, or use known_window"
            shared = Shared(all_of, f"{ref.column}, at {place}", all_fix)
            yield Finding("L005", what, place, fix, node.id, shared=shared)

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


def _or_allow(fix: str, feature: str = "") -> str:
    """Return a fix, and how to allow a leak of `feature`, or of each of several features."""
    which = (
        f"it with a reason: allow_leakage: {{{feature}: …}}" if feature else "each with a reason under allow_leakage:"
    )
    return f"{fix}, or allow {which}"


def _known(origin: Origin) -> str:
    return "after" if origin.at is None else f"{{at: {origin.at.column}}}"


def _shortened(path: Sequence[str]) -> str:
    """Return a path in one line, without its end, which all paths share, and without the ML model's title."""
    feature = path[0].rpartition(".")[2]
    rest = list(path[1:-1]) or list(path[1:])
    return " <- ".join([feature, *(rest if len(rest) <= 4 else [*rest[:2], "…", rest[-1]])])


def _bound_fix(origin: Origin, late: Late, node: MlNode) -> str:
    event_time = node.ml_model.event_time
    if late.moments and event_time is not None:
        return f"bound them by '{event_time}', or by a moment before it"
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
