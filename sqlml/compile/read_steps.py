"""Adds to a plan what its running steps read: steps in, the same and those of what is only read out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlml.errors import ResolveError, SqlmlError, raise_all
from sqlml.ir.dag import MlNode, Node, PredictionNode, SqlNode, TestNode
from sqlml.ir.plan import Action, Step
from sqlml.ir.state import Fingerprint, Snapshot


def add_read_steps(
    steps: dict[str, Step], nodes: Mapping[str, Node], snapshot: Snapshot, fingerprints: Mapping[str, Fingerprint]
) -> None:
    """Add to `steps` (by id) each node that a running step reads, directly or through views, and that is not there.

    Raises:
        ResolveError: such a node was never built.
    """
    errors: list[SqlmlError] = []
    seen: set[tuple[str, str]] = set()
    running = [step for step in steps.values() if step.action is not Action.KEEP]
    todo = [(parent, step.node) for step in running for parent in _parents_read(step)]
    while todo:
        node_id, reader = todo.pop()
        if (node_id, reader.id) in seen:
            continue
        seen.add((node_id, reader.id))
        if node_id not in steps:
            if not _exists(nodes.get(node_id), snapshot):
                errors.append(_never_built(node_id, nodes.get(node_id), reader))
                continue
            output = snapshot.outputs.get(node_id)
            steps[node_id] = Step(
                nodes[node_id], Action.KEEP, ("read",), fingerprints[node_id], is_selected=False, output=output
            )
        if steps[node_id].action is Action.KEEP:
            todo += [(parent, reader) for parent in _passed_through(steps[node_id])]
    raise_all(errors)


def _parents_read(step: Step) -> Iterable[str]:
    return dict.fromkeys((*step.node.parents, *(parent for test in step.tests for parent in test.parents)))


def _passed_through(step: Step) -> Iterable[str]:
    """Return what is read whenever the kept node of `step` is read."""
    if isinstance(step.node, PredictionNode):
        return step.node.parents
    if step.output is not None and step.output.kind == "view":
        return step.output.parents
    return step.node.parents if isinstance(step.node, SqlNode) and not step.node.is_stored else ()


def _exists(node: Node | None, snapshot: Snapshot) -> bool:
    if isinstance(node, MlNode):
        return bool(snapshot.versions.get(node.name))
    return node is not None and (not node.is_stored or node.id in snapshot.outputs)


def _never_built(node_id: str, node: Node | None, reader: Node) -> ResolveError:
    name = node.name if node else node_id.partition(".")[2]
    done = "trained" if isinstance(node, MlNode) else "built"
    what = f"'{reader.name}' reads '{name}', which was never {done} and is not selected"
    # `sqlml test` builds nothing, whatever it selects.
    fix = f"run: sqlml build --select +{name}" if isinstance(reader, TestNode) else f"select '+{reader.name}'"
    return ResolveError(what, reader.places.whole, fix)
