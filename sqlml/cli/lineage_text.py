"""Column lineage as text: what a column hangs on in; a tree, a graph of Graphviz or Mermaid, or JSON-ready data out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlml.ir.lineage import ColumnRef, Edge, Kind, owner_of

if TYPE_CHECKING:
    from sqlml.lineage import ColumnLineage

_WORDS = {
    Kind.VALUE: "",
    Kind.OTHER_ROWS: "other rows",
    Kind.FIT: "learnt in the fit",
    Kind.UNKNOWN: "perhaps",
    Kind.FILTER: "filter",
}
_ARROW = {"upstream": "<-", "downstream": "->"}


def as_tree(found: ColumnLineage) -> Iterator[str]:
    """Yield a tree of values; what only decides about rows stands on one line below each column."""
    shown: set[ColumnRef] = set()
    for start in found.starts:
        yield found.title(start)
        yield from _branches(found, start, "", shown)


def _branches(found: ColumnLineage, ref: ColumnRef, indent: str, shown: set[ColumnRef]) -> Iterator[str]:
    steps = found.merged(ref)
    if ref in shown and steps:
        yield f"{indent}  (as above)"
        return
    shown.add(ref)
    for following, edge in steps:
        if edge.kind is not Kind.FILTER:
            word = _WORDS[edge.kind]
            yield f"{indent}  {_ARROW[found.direction]} {found.title(following)}{f'  ({word})' if word else ''}"
            yield from _branches(found, following, indent + "  ", shown)
    filters = [found.title(following) for following, edge in steps if edge.kind is Kind.FILTER]
    if filters:
        verb = "rows by" if found.direction == "upstream" else "decides rows of"
        yield f"{indent}  {verb} {', '.join(filters)}"


def as_document(found: ColumnLineage) -> dict[str, Any]:
    """Return the columns asked for and every edge, from the column that is read to the one that is computed."""
    edges = [
        {"from": list(source), "to": list(target), "kind": edge.kind.value, "is_copy": edge.is_copy}
        for source, target, edge in _edges(found)
    ]
    return {
        "direction": found.direction,
        "columns": [list(start) for start in found.starts],
        "edges": edges,
        "versions": found.versions,
    }


def as_dot(found: ColumnLineage) -> Iterator[str]:
    """Yield a graph for Graphviz: a cluster for each node, an arrow for each edge."""
    yield "digraph lineage {"
    yield "  rankdir=LR; node [shape=box];"
    for number, (node_id, refs) in enumerate(_by_node(found).items()):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quoted(_box(found, node_id))};"
        for ref in refs:
            yield f"    {_quoted('.'.join(ref))} [label={_quoted(found.label(ref))}];"
        yield "  }"
    for source, target, edge in _merged_edges(found):
        style = "" if edge.kind is Kind.VALUE else f" [label={_quoted(_WORDS[edge.kind])}, style=dashed]"
        yield f"  {_quoted('.'.join(source))} -> {_quoted('.'.join(target))}{style};"
    yield "}"


def as_mermaid(found: ColumnLineage) -> Iterator[str]:
    """Yield a Mermaid flowchart: a box for each node, an arrow for each edge."""
    nodes = _by_node(found)
    numbers = {ref: f"c{number}" for number, ref in enumerate(ref for refs in nodes.values() for ref in refs)}
    yield "flowchart LR"
    for number, (node_id, refs) in enumerate(nodes.items()):
        yield f"  subgraph n{number}[{_quoted(_box(found, node_id))}]"
        for ref in refs:
            yield f"    {numbers[ref]}[{_quoted(found.label(ref))}]"
        yield "  end"
    for source, target, edge in _merged_edges(found):
        arrow = "-->" if edge.kind is Kind.VALUE else f"-. {_WORDS[edge.kind]} .->"
        yield f"  {numbers[source]} {arrow} {numbers[target]}"


def _edges(found: ColumnLineage) -> Iterator[tuple[ColumnRef, ColumnRef, Edge]]:
    """Yield source, target and edge, whichever way was asked for."""
    for ref, steps in found.steps.items():
        for following, edge in steps:
            yield (following, ref, edge) if found.direction == "upstream" else (ref, following, edge)


def _merged_edges(found: ColumnLineage) -> Iterator[tuple[ColumnRef, ColumnRef, Edge]]:
    """Yield the same between what stands for slots that are alike, each once."""
    seen: set[tuple[ColumnRef, ColumnRef, Kind]] = set()
    for source, target, edge in _edges(found):
        ends = found.group(source), found.group(target)
        if (*ends, edge.kind) not in seen:
            seen.add((*ends, edge.kind))
            yield *ends, edge


def _by_node(found: ColumnLineage) -> dict[str, list[ColumnRef]]:
    nodes: dict[str, list[ColumnRef]] = {}
    for ref in dict.fromkeys(map(found.group, found.steps)):
        nodes.setdefault(ref.node_id, []).append(ref)
    return nodes


def _box(found: ColumnLineage, node_id: str) -> str:
    name = found.names[owner_of(node_id)]
    return name if node_id == owner_of(node_id) else f"{name}: feature vector"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', "'")
    return f'"{escaped}"'
