"""The order of nodes: who reads whom in, parents before children out, or the cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from sqlml.errors import ResolveError, SqlmlError
from sqlml.ir.location import SourceLocation

Edges = Mapping[str, Mapping[str, SourceLocation]]
"""Child id to parent id to the place where the child reads it."""


def order_nodes(edges: Edges, errors: list[SqlmlError]) -> tuple[str, ...]:
    """Return all ids of `edges`, each after its parents, the same whatever the order of files.

    Args:
        edges: has a key for every node.
        errors: gets one error for each cycle; the order then leaves out one edge of each.
    """
    open_edges = {child: sorted(parent for parent in edges[child] if parent in edges) for child in sorted(edges)}
    while True:
        sorter = TopologicalSorter(open_edges)
        try:
            sorter.prepare()
        except CycleError as error:
            cycle = _from_smallest(error.args[1])
            errors.append(_describe(cycle, edges))
            open_edges[cycle[0]].remove(cycle[1])
            continue
        order: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            order.extend(ready)
            sorter.done(*ready)
        return tuple(order)


def _from_smallest(cycle: Sequence[str]) -> list[str]:
    """Return a cycle of ids so that each reads the next, beginning and ending with the smallest."""
    # graphlib gives each before those that read it.
    around = list(reversed(cycle))[:-1]
    start = around.index(min(around))
    return [*around[start:], *around[:start], around[start]]


def _describe(cycle: list[str], edges: Edges) -> ResolveError:
    names = [node_id.partition(".")[2] if not node_id.startswith("prediction.") else node_id for node_id in cycle]
    places = [
        f"'{names[at]}' reads '{names[at + 1]}' at {edges[child][cycle[at + 1]]}" for at, child in enumerate(cycle[:-1])
    ]
    what = f"these read each other in a cycle: {' -> '.join(names)}"
    return ResolveError(what, edges[cycle[0]][cycle[1]], f"take one of these away: {', '.join(places)}")
