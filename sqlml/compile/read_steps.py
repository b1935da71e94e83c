"""Adds to a plan what its running steps read: steps in, the same and those of what is only read out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlml.errors import ResolveError
from sqlml.ir.dag import MlNode, Node, PredictionNode, SqlNode, TestNode
from sqlml.ir.deferral import Deferral
from sqlml.ir.plan import Action, Step
from sqlml.ir.state import Fingerprint, Output, Snapshot


@dataclass(frozen=True, slots=True)
class Reading:
    """What steps may read.

    Attributes:
        nodes, fingerprints: by id.
        snapshot: what exists.
        deferral: another target that is read where this one has nothing.
    """

    nodes: Mapping[str, Node]
    snapshot: Snapshot
    fingerprints: Mapping[str, Fingerprint]
    deferral: Deferral | None = None


def add_read_steps(steps: dict[str, Step], reading: Reading) -> list[ResolveError]:
    """Add to `steps` (by id) each node that a running step reads, directly or through views, and that is not there.

    Returns an error for each of them that was never built.
    """
    nodes, errors = reading.nodes, []
    seen: set[tuple[str, str]] = set()
    running = [step for step in steps.values() if step.action is not Action.KEEP]
    todo = [(parent, step.node) for step in running for parent in _parents_read(step)]
    while todo:
        node_id, reader = todo.pop()
        if (node_id, reader.id) in seen:
            continue
        seen.add((node_id, reader.id))
        if node_id not in steps:
            if not _exists(nodes.get(node_id), reading.snapshot):
                errors.append(_never_built(node_id, nodes.get(node_id), reader, reading))
                continue
            output = reading.snapshot.outputs.get(node_id)
            if output is not None and output.of_target:
                errors += [_lost(output, lost, reader) for lost in _never_built_there(output, reading.deferral)]
            fingerprint = reading.fingerprints[node_id]
            steps[node_id] = Step(nodes[node_id], Action.KEEP, ("read",), fingerprint, is_selected=False, output=output)
        if steps[node_id].action is Action.KEEP:
            todo += [(parent, reader) for parent in _passed_through(steps[node_id])]
    return errors


def _parents_read(step: Step) -> Iterable[str]:
    return dict.fromkeys((*step.node.parents, *(parent for test in step.tests for parent in test.parents)))


def _passed_through(step: Step) -> Iterable[str]:
    """Return what is read whenever the kept node of `step` is read."""
    if isinstance(step.node, PredictionNode):
        return step.node.parents
    if step.output is not None and step.output.of_target:
        # What a view of another target reads is that target's.
        return ()
    if step.output is not None and step.output.kind == "view":
        return step.output.parents
    return step.node.parents if isinstance(step.node, SqlNode) and not step.node.is_stored else ()


def _exists(node: Node | None, snapshot: Snapshot) -> bool:
    if isinstance(node, MlNode):
        return snapshot.is_fitted(node.name)
    return node is not None and (not node.is_stored or node.id in snapshot.outputs)


def _never_built(node_id: str, node: Node | None, reader: Node, reading: Reading) -> ResolveError:
    name = node.name if node else node_id.partition(".")[2]
    done = "trained" if isinstance(node, MlNode) else "built"
    where = "" if reading.deferral is None else f", here or in target '{reading.deferral.target}',"
    what = f"'{reader.name}' reads '{name}', which was never {done}{where} and is not selected"
    # `sqlml test` builds nothing, whatever it selects.
    fix = f"run: sqlml build --select +{name}" if isinstance(reader, TestNode) else f"select '+{reader.name}'"
    return ResolveError(what, reader.places.whole, fix)


def _never_built_there(output: Output, deferral: Deferral | None) -> Iterator[str]:
    """Yield the names of what a view of another target reads and that was never built there."""
    todo, seen = [output.node_id], set()
    while todo and deferral is not None:
        node_id = todo.pop()
        node, kept = deferral.dag.nodes.get(node_id), deferral.snapshot.outputs.get(node_id)
        if not _exists(node, deferral.snapshot):
            yield node_id.partition(".")[2]
        elif node_id not in seen and (kept is None or kept.kind == "view"):
            todo += kept.parents if kept is not None else node.parents if node is not None else ()
        seen.add(node_id)


def _lost(output: Output, lost: str, reader: Node) -> ResolveError:
    name, target = output.node_id.partition(".")[2], output.of_target
    what = f"'{reader.name}' reads '{name}' of target '{target}', a view of '{lost}', which is not built there any more"
    fix = f"select '+{reader.name}', or run: sqlml build --target {target} --select {lost}"
    return ResolveError(what, reader.places.whole, fix)
