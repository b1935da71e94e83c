"""`--select` and `--exclude`: dbt's graph syntax in, ids of nodes out."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlml.errors import ResolveError, suggest
from sqlml.ir.dag import Dag, MlOutputNode, Node, NodeKind, SourceNode, TestNode

_TERM = re.compile(
    r"(?P<at>@)?(?:(?P<up_depth>\d*)(?P<up>\+))?(?:(?P<method>[A-Za-z_.]+):)?(?P<value>.*?)(?:(?P<down>\+)(?P<down_depth>\d*))?"
)
_KINDS: Mapping[str, NodeKind] = {
    "source": "source",
    "seed": "seed",
    "sql_model": "sql_model",
    "model": "sql_model",
    "ml_model": "ml_model",
    "prediction": "prediction",
    "ml_output": "ml_output",
    "graph": "graph",
    "pattern": "pattern",
    "test": "test",
}
# fmt: off
_LATER_METHODS = frozenset({
    "access", "config", "exposure", "file", "fqn", "group", "metric", "package", "result", "selector",
    "source_status", "state", "test_name", "test_type", "unit_test", "version",
})
# fmt: on


def select_nodes(
    dag: Dag,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    kinds: Collection[NodeKind] | None = None,
) -> tuple[str, ...]:
    """Return the ids of the nodes that are selected and not excluded, in the order of the graph.

    A data test belongs to a selection that has any of its parents, as dbt has it by default. Predictions and
    `ml_table()` come along with the nodes that read them.

    Args:
        dag: the graph.
        select: arguments of `--select`, each a union (spaces) of intersections (commas) of terms such as `+name`,
            `tag:x`, `path:models/staging`; together a union. Without any, all nodes.
        exclude: arguments of `--exclude`, written likewise.
        kinds: if given, only nodes of these kinds are returned.

    Raises:
        ResolveError: for a term that selects nothing, or that cannot be read.
    """
    selection = _Selection(dag, dag.children())
    chosen = selection.union(select) if select else set(dag.nodes)
    chosen -= selection.union(exclude)
    chosen |= {parent for node_id in chosen for parent in dag.nodes[node_id].parents if _is_called(dag.nodes[parent])}
    return tuple(
        node_id for node_id in dag.nodes if node_id in chosen and (not kinds or dag.nodes[node_id].kind in kinds)
    )


def _is_called(node: Node) -> bool:
    """Tell whether a call in SQL made the node, which comes along with its readers."""
    return node.kind == "prediction" or (isinstance(node, MlOutputNode) and node.is_called)


@dataclass(frozen=True, slots=True)
class _Selection:
    dag: Dag
    children: Mapping[str, Sequence[str]]

    def union(self, arguments: Iterable[str]) -> set[str]:
        """Return the ids that any of `arguments` selects, tests of theirs included."""
        chosen: set[str] = set()
        for argument in arguments:
            if not argument.strip():
                raise ResolveError("a selection is empty", None, "give names, such as 'flights' or '+late_arrival'")
            for intersection in argument.split():
                chosen |= self._intersection(intersection)
        return chosen

    def _intersection(self, text: str) -> set[str]:
        terms = [self._with_tests(self._term(term)) for term in text.split(",")]
        chosen = set.intersection(*terms)
        if not chosen:
            raise ResolveError(f"selection '{text}' selects nothing: no node is in all of its parts")
        return chosen

    def _with_tests(self, chosen: set[str]) -> set[str]:
        tests = {
            node.id
            for node in self.dag.nodes.values()
            if isinstance(node, TestNode) and not chosen.isdisjoint(node.parents)
        }
        return chosen | tests

    def _term(self, text: str) -> set[str]:
        match = _TERM.fullmatch(text)
        if match is None or not match["value"]:
            raise ResolveError(f"selection '{text}' cannot be read", None, "write a name, such as '+late_arrival'")
        if match["at"] and (match["up"] or match["down"]):
            raise ResolveError(f"selection '{text}' has both '@' and '+'", None, "'@name' has all that 'name+' needs")
        chosen = self._matching(match["method"], match["value"])
        found = set(chosen)
        if match["up"]:
            found |= self._walk(chosen, self._parents, match["up_depth"])
        if match["down"] or match["at"]:
            found |= self._walk(chosen, self.children.__getitem__, match["down_depth"])
        if match["at"]:
            found |= self._walk(found, self._parents, "")
        return found

    def _parents(self, node_id: str) -> Sequence[str]:
        return self.dag.nodes[node_id].parents

    def _walk(self, start: Iterable[str], step: Callable[[str], Sequence[str]], depth: str | None) -> set[str]:
        """Return what is reached from `start` in at most `depth` steps, or in any number if that is empty."""
        found: set[str] = set()
        edge = set(start)
        steps = int(depth) if depth else len(self.dag.nodes)
        for _ in range(steps):
            edge = {node_id for reached in edge for node_id in step(reached)} - found
            if not edge:
                break
            found |= edge
        return found

    def _matching(self, method: str | None, value: str) -> set[str]:
        if method is None and ("/" in value or "\\" in value or value.endswith((".sql", ".yml", ".yaml"))):
            method = "path"
        if method is not None and method not in _METHODS:
            first = method.partition(".")[0]
            if first in _LATER_METHODS:
                fix = f"methods: {', '.join(sorted(_METHODS))}"
                raise ResolveError(f"selection method '{method}:' is not supported yet", None, fix)
            raise ResolveError(f"there is no selection method '{method}:'", None, suggest(method, _METHODS, "methods"))
        matches, known = _METHODS[method] if method else (_matches_name, _names)
        chosen = {node.id for node in self.dag.nodes.values() if matches(node, value)}
        if not chosen:
            words = f"{method}:{value}" if method else value
            fix = suggest(value, {name for node in self.dag.nodes.values() for name in known(node)}, "there are")
            raise ResolveError(f"selection '{words}' selects nothing", None, fix)
        return chosen


def _matches_name(node: Node, value: str) -> bool:
    """Return whether `value` is the node's name, or a folder of it below models/ (`staging`, `staging.stg_flights`)."""
    if fnmatch.fnmatchcase(node.name, value) or node.id == value:
        return True
    if node.kind not in ("sql_model", "seed"):
        return False
    parts = value.split(".")
    folders = [*node.path.split("/")[1:-1], node.name]
    return len(parts) <= len(folders) and all(map(fnmatch.fnmatchcase, folders, parts))


def _matches_tag(node: Node, value: str) -> bool:
    return any(fnmatch.fnmatchcase(tag, value) for tag in node.tags)


def _matches_path(node: Node, value: str) -> bool:
    path = posixpath.normpath(value.replace("\\", "/"))
    if node.kind == "prediction":
        return False
    if any(character in path for character in "*?"):
        return re.fullmatch(_glob(path), node.path) is not None
    return path in (".", node.path) or node.path.startswith(f"{path}/")


def _glob(pattern: str) -> str:
    """Return the regular expression of a glob in which `*` stays within a folder and `**` does not."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(words.get(part, re.escape(part)) for part in parts)


def _matches_kind(node: Node, value: str) -> bool:
    return node.kind == _KINDS.get(value)


def _matches_source(node: Node, value: str) -> bool:
    if not isinstance(node, SourceNode):
        return False
    return fnmatch.fnmatchcase(node.name, value) or fnmatch.fnmatchcase(node.source.source_name, value)


def _names(node: Node) -> Iterable[str]:
    # Nobody means these by a misspelt name, and there are many.
    return () if node.kind in ("test", "prediction") else (node.name,)


def _source_names(node: Node) -> Iterable[str]:
    return (node.name, node.source.source_name) if isinstance(node, SourceNode) else ()


_METHODS: Mapping[str, tuple[Callable[[Node, str], bool], Callable[[Node], Iterable[str]]]] = {
    "path": (_matches_path, lambda node: (node.path, posixpath.dirname(node.path))),
    "resource_type": (_matches_kind, lambda node: _KINDS),
    "source": (_matches_source, _source_names),
    "tag": (_matches_tag, lambda node: node.tags),
}
"""Method to how it matches a node, and the values that would have."""
