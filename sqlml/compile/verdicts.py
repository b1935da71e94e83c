"""Sums a plan up for each ML model: a Plan in, a verdict for each of those selected out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.compile.contracts import breaches_of, readers_of
from sqlml.compile.reasons import UNCHANGED
from sqlml.ir.contracts import Difference
from sqlml.ir.dag import MlNode, MlOutputNode, PredictionNode
from sqlml.ir.plan import Action, Plan, Step
from sqlml.ir.verdicts import Verdict, VerdictKind


def decide_verdicts(plan: Plan) -> dict[str, Verdict]:
    """Return the verdict of each selected ML model by its name."""
    return {
        step.node.name: _decide(plan, step, step.node)
        for step in plan.steps
        if isinstance(step.node, MlNode) and step.is_selected
    }


def _decide(plan: Plan, step: Step, node: MlNode) -> Verdict:
    if step.action is not Action.KEEP:
        breaches = tuple(_breaches(plan, step, node))
        if breaches:
            return Verdict(VerdictKind.BREAKING, step.reasons, None, breaches, tuple(_readers(plan, node)))
        return Verdict(VerdictKind.RETRAIN, step.reasons)
    why = () if step.reasons == (UNCHANGED,) else step.reasons
    if step.due is not None:
        # The last reason says the same.
        return Verdict(VerdictKind.DUE, step.reasons[:-1], step.due)
    again = tuple(_scored_again(plan, node))
    if again:
        return Verdict(VerdictKind.PREDICT_AGAIN, why, again=again)
    return Verdict(VerdictKind.UNCHANGED, why)


def _breaches(plan: Plan, step: Step, node: MlNode) -> Iterator[str]:
    """Yield what who calls or reads the champion will not find as it was."""
    champion, now = plan.snapshot.champion(node.name), plan.compiled.signatures.get(node.id)
    if champion is None or now is None:
        return
    for breach in breaches_of(node, now, step.fingerprint, champion):
        if not breach.is_harmless:
            yield f"{_said(breach.difference)}: {breach.word}"


def _said(found: Difference) -> str:
    types = [found.promised or "", found.found or ""]
    return f"{found.name} ({' -> '.join(types)})" if all(types) else f"{found.name} ({''.join(types)})"


def _readers(plan: Plan, node: MlNode) -> Iterator[str]:
    yield from readers_of(plan.compiled.dag, node.id)
    for other in plan.compiled.dag.nodes.values():
        if isinstance(other, MlOutputNode) and other.ml_model == node.id and not other.is_called:
            yield other.name


def _scored_again(plan: Plan, node: MlNode) -> Iterator[str]:
    """Yield the names of what will be made by the champion that stays."""
    nodes = plan.compiled.dag.nodes
    predictions = {
        other.id for other in nodes.values() if isinstance(other, PredictionNode) and other.ml_model == node.id
    }
    for step in plan.steps:
        is_made = isinstance(step.node, MlOutputNode) and step.node.alias_read == node.name
        if step.action is Action.RUN and (is_made or predictions & {*step.node.parents}):
            yield step.node.name
