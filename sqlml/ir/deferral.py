"""Another target that is read where the target of a build has nothing: what both have in, what is read out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlml.ir.dag import Dag
from sqlml.ir.state import Snapshot


@dataclass(frozen=True, slots=True)
class Deferral:
    """What `--defer` names. Nothing of it is ever written.

    Attributes:
        target: its name.
        dag: the project as that target would have it, for what its views read.
        snapshot: what is current there.
    """

    target: str
    dag: Dag
    snapshot: Snapshot


def defer(snapshot: Snapshot, deferral: Deferral | None, dag: Dag, selected: Collection[str] = ()) -> Snapshot:
    """Return what is read: of this target what it has, else of the other; what is selected is made, and not read.

    Args:
        dag: of this target; what its nodes do not read is left out.
        selected: node ids.
    """
    if deferral is None:
        return snapshot
    name, there = deferral.target, deferral.snapshot
    # What is an ephemeral here is made of what is here, whatever the other target has by its name.
    stored = {node.id for node in dag.nodes.values() if node.is_stored}
    outputs = {
        node_id: replace(output, of_target=name)
        for node_id, output in there.outputs.items()
        if node_id in stored and node_id not in selected and node_id not in snapshot.outputs
    }
    versions = {
        ml_model: tuple(replace(version, of_target=name) for version in found)
        for ml_model, found in there.versions.items()
    }
    other = Snapshot(there.schema, versions=versions, aliases=there.aliases)
    return replace(snapshot, outputs={**snapshot.outputs, **outputs}, other=other)
