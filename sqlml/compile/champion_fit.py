"""Checks predictions against the champion that will make them: a plan's steps and what exists in, errors out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.dag import PredictionNode
from sqlml.ir.plan import Action, Compiled, Step
from sqlml.ir.signatures import find_misfit
from sqlml.ir.state import Column, Fingerprint, Snapshot, Version


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a build goes on from.

    Attributes:
        steps: by node id.
        effective: fingerprints of what its steps will really read.
        crowning: ML models (names) that may have another champion once they are read.
    """

    compiled: Compiled
    snapshot: Snapshot
    steps: Mapping[str, Step]
    effective: Mapping[str, Fingerprint]
    crowning: Collection[str]


def check_champions(outlook: Outlook) -> Iterator[SqlmlError]:
    """Yield an error for each prediction that a running step reads and that the champion cannot make."""
    nodes = outlook.compiled.dag.nodes
    running = [step.node for step in outlook.steps.values() if step.action is not Action.KEEP]
    for node_id in dict.fromkeys(parent for node in running for parent in node.parents):
        node = nodes.get(node_id)
        if not isinstance(node, PredictionNode):
            continue
        name = nodes[node.ml_model].name
        champion = outlook.snapshot.champion(name)
        columns = _columns(node.scored, outlook)
        if champion is not None and columns is not None and name not in outlook.crowning:
            yield from _check(node, nodes[node.scored].name, columns, champion)


def _columns(node_id: str, outlook: Outlook) -> Sequence[Column] | None:
    """Return the columns that a relation will have when it is scored; None: unknown."""
    compiled = outlook.compiled
    if outlook.effective[node_id].digest != compiled.fingerprints[node_id].digest:
        # It is out of date and stays so: what counts is what was built.
        output = outlook.snapshot.outputs.get(node_id)
        return None if output is None else output.columns or None
    names, types = compiled.columns.get(node_id), compiled.types.get(node_id)
    if names is None or types is None:
        return None
    return [Column(name, found or "") for name, found in zip(names, types, strict=True)]


def _check(node: PredictionNode, scored: str, columns: Sequence[Column], champion: Version) -> Iterator[SqlmlError]:
    signature, name = champion.signature, champion.ml_model
    misfit = find_misfit(columns, (*signature.features, *signature.inputs))
    if misfit:
        what = f"predict('{name}', …) scores with {champion}, the champion: '{scored}' {misfit}"
        fix = f"train it again with --retrain {name}, promote a version that fits, or change the SQL of '{scored}'"
        yield CompileError(what, node.places.whole, fix)
