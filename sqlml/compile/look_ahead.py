"""Windows that read later rows: an ML model's feature and its lineage in, the windows that look ahead, and why, out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.compile.facts import Facts
from sqlml.ir.dag import Dag, SqlNode
from sqlml.ir.lineage import ColumnRef, Kind, Lineage, WindowUse

_TIMES = ("timestamp", "timestamp_ntz", "date")


class WindowReader:
    """Reads the windows above one ML model with an event time.

    Args:
        event_time: the column of its training relation.
    """

    def __init__(self, dag: Dag, lineage: Lineage, facts: Facts, event_time: ColumnRef) -> None:
        self._dag = dag
        self._lineage = lineage
        self._facts = facts
        self._event_time = lineage.copies(event_time)
        self._roots = lineage.roots(event_time)

    def look_ahead(self, ref: ColumnRef) -> Iterator[tuple[SqlNode, str, WindowUse, str]]:
        """Yield the SQL models, columns and windows that read later rows for `ref`, and why they do."""
        seen = {ref}
        todo = [ref]
        for at in todo:
            owner = self._dag.nodes[at.node_id]
            if isinstance(owner, SqlNode):
                for window in self._lineage.nodes[at.node_id].windows.get(at.column, ()):
                    reason = self._reason(window)
                    if reason and self._is_in_time(owner):
                        yield owner, at.column, window, reason
            for edge in self._lineage.edges(at):
                if edge.kind in (Kind.VALUE, Kind.OTHER_ROWS) and edge.source not in seen:
                    seen.add(edge.source)
                    todo.append(edge.source)

    def _reason(self, window: WindowUse) -> str:
        """Return why `window` reads later rows; empty if it does not."""
        if any(self._lineage.copies(ref) & self._event_time for ref in window.partitioned_by):
            return ""  # all of its rows are of one moment
        if window.key and not self._is_time(window):
            return f"it is sorted by '{window.key}', which is no time, so that it reads later rows too"
        return window.reason

    def _is_time(self, window: WindowUse) -> bool:
        """Return whether a window is sorted by a timestamp or by what the event time is made of, if that is known."""
        types = [self._facts.type_of(*ref) for ref in window.sorted_by]
        if any(not given or given in _TIMES for given in types):
            return True
        return any(self._lineage.roots(ref) & self._roots for ref in window.sorted_by)

    def _is_in_time(self, owner: SqlNode) -> bool:
        """Return whether the rows that `owner` reads have a time at all: a table of aircraft has not."""
        for parent in owner.parents:
            types = self._facts.types.get(parent)
            if not types or any(given is None or str(given) in _TIMES for given in types.values()):
                return True
            if any(root.node_id == parent for root in self._roots):
                return True
        return False
