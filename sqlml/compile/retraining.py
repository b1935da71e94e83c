"""Decides whether an ML model is fitted again: fingerprint, newest version and policy in, a decision out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlml.compile.reasons import UNCHANGED, explain_change
from sqlml.ir.dag import MlNode, Node
from sqlml.ir.plan import Action, PlanRequest
from sqlml.ir.project import Retrain
from sqlml.ir.state import Fingerprint, Version, VersionRef, alias_text


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a node, and why; `due` as in `Step`."""

    action: Action
    reasons: tuple[str, ...]
    due: str | None = None


@dataclass(frozen=True, slots=True)
class Fitting:
    """An ML model as it would be fitted now, and its newest version.

    Attributes:
        latest: whether or not it is the champion.
        champions: the versions whose predictions the training data holds now, by ML model.
    """

    node: MlNode
    fingerprint: Fingerprint
    latest: Version | None
    champions: Mapping[str, VersionRef]


def decide_fit(fitting: Fitting, request: PlanRequest, nodes: Mapping[str, Node]) -> Decision:
    """Return whether an ML model is fitted; `nodes` gives the names of parents."""
    latest = fitting.latest
    if latest is None:
        if request.no_retrain:
            return Decision(Action.KEEP, ("not fitted: --no-retrain",))
        return Decision(Action.RUN, ("new",))
    asked = _reasons_asked(fitting.node, latest, request)
    reasons = asked or _reasons_changed(fitting, latest, nodes)
    if not reasons:
        return Decision(Action.KEEP, (UNCHANGED,))
    if request.no_retrain:
        return Decision(Action.KEEP, (*reasons, "but --no-retrain"))
    is_data = fitting.fingerprint.code == latest.fingerprint.code
    delay, due = (None, None) if asked else _delay(fitting.node.ml_model.retrain, is_data, latest, request.now)
    if delay is not None:
        return Decision(Action.KEEP, (*reasons, delay), due)
    return Decision(Action.RUN, reasons)


def _reasons_asked(node: MlNode, latest: Version, request: PlanRequest) -> tuple[str, ...]:
    if node.name in request.retrain:
        return ("retrain asked",)
    if request.full_refresh:
        return ("full refresh",)
    return () if Path(latest.location).exists() else ("files are missing",)


def _reasons_changed(fitting: Fitting, latest: Version, nodes: Mapping[str, Node]) -> tuple[str, ...]:
    changed = explain_change(fitting.fingerprint, latest.fingerprint, nodes)
    if changed:
        return changed
    held = latest.facts.get("champions", fitting.champions)
    return tuple(
        f"{alias_text(name)} changed" for name, number in fitting.champions.items() if held.get(name) != number
    )


def _delay(retrain: Retrain, is_data: bool, latest: Version, now: datetime) -> tuple[str | None, str | None]:
    """Return why a change does not lead to a fit now, None if it does, and when it will, UTC, if that is known."""
    if retrain.when == "asked":
        return "retrain: asked", None
    if not is_data:
        return None, None
    if retrain.when == "spec_changed":
        return "retrain: spec_changed", None
    if retrain.at_most_every_s is None or not latest.created_at:
        return None, None
    created = datetime.fromisoformat(latest.created_at)
    due = (created if created.tzinfo else created.replace(tzinfo=UTC)) + timedelta(seconds=retrain.at_most_every_s)
    if now >= due:
        return None, None
    return f"retrain due on {due:%Y-%m-%d %H:%M} UTC", f"{due:%Y-%m-%d %H:%M}"
