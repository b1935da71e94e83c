"""A Compiled, what exists and what was asked in, a Plan out: what is run, what is kept, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlml.compile.champion_fit import Outlook, check_champions
from sqlml.compile.contracts import check_ml_contract
from sqlml.compile.effective import fingerprint_deferred, fingerprint_stored, recompose
from sqlml.compile.libraries import find_missing_libraries
from sqlml.compile.read_steps import Reading, add_read_steps
from sqlml.compile.reasons import UNCHANGED, explain_change
from sqlml.compile.retraining import Decision, Fitting, decide_fit
from sqlml.errors import CommandError, CompileError, SqlmlError, raise_all, suggest
from sqlml.ir.comparisons import comparisons_of
from sqlml.ir.contracts import sql_breach
from sqlml.ir.dag import BuiltNode, MlNode, Node, SqlNode, TestNode
from sqlml.ir.deferral import defer
from sqlml.ir.gates import check_gates, gate_dataset, is_promoted
from sqlml.ir.plan import Action, Compiled, Plan, PlanRequest, Step
from sqlml.ir.state import Fingerprint, GateResult, Output, Snapshot, VersionRef, alias_text, lacks_text, ml_model_of
from sqlml.ir.suspects import refused_suspects


def make_plan(compiled: Compiled, snapshot: Snapshot, request: PlanRequest) -> Plan:
    """Return the steps that bring the selected nodes up to date, parents first.

    What is only read comes as a step that is not selected. The plan's fingerprints are those of what its steps will
    really read, which differ from the compiled ones below relations that are out of date and not selected.

    Raises:
        CommandError: `retrain` names what is no selected ML model.
        ResolveError: a step reads what is not selected and was never built.
        CompileError: a contract is broken, or the champion that stays cannot score a relation.
        EnvironmentFault: a fit needs a library that is not installed.
    """
    return _Planner(compiled, snapshot, request).plan()


class _Planner:
    def __init__(self, compiled: Compiled, snapshot: Snapshot, request: PlanRequest) -> None:
        self._compiled = compiled
        self._nodes = compiled.dag.nodes
        self._request = request
        deferral = request.deferral
        self._snapshot = snapshot = defer(snapshot, deferral, compiled.dag, request.selected)
        self._champions = {name: found.ref for name, found in snapshot.champions().items()}
        fingerprints = compiled.fingerprints
        self._deferred = {} if deferral is None else fingerprint_deferred(self._nodes, fingerprints, deferral)
        self._tests: dict[str, list[TestNode]] = {}
        for node in self._nodes.values():
            if isinstance(node, TestNode) and node.id in request.selected:
                self._tests.setdefault(node.owner, []).append(node)
        self._effective: dict[str, Fingerprint] = {}
        self._steps: dict[str, Step] = {}
        # Names of the ML models that may have another champion after this build, and by node those it depends on.
        self._crowning: set[str] = set()
        self._below: dict[str, frozenset[str]] = {}

    def plan(self) -> Plan:
        self._check_request()
        for node in self._nodes.values():
            self._effective[node.id] = self._fingerprint(node)
            self._below[node.id] = self._find_fits(node)
            if node.id in self._request.selected and not self._is_carried(node):
                self._steps[node.id] = self._step(node)
        reading = Reading(self._nodes, self._snapshot, self._effective, self._request.deferral)
        never_built = add_read_steps(self._steps, reading)
        outlook = Outlook(self._compiled, self._snapshot, self._steps, self._effective, self._crowning)
        missing = find_missing_libraries(self._steps.values())
        raise_all([*never_built, *check_champions(outlook), *self._check_contracts(), *missing])
        compiled = self._compiled.fingerprints
        fingerprints = {**compiled, **self._effective}
        outdated = frozenset(key for key, found in self._effective.items() if found.digest != compiled[key].digest)
        steps = tuple(self._steps[node_id] for node_id in self._nodes if node_id in self._steps)
        effective = replace(self._compiled, fingerprints=fingerprints)
        return Plan(effective, self._snapshot, steps, self._request.deferral, outdated)

    def _check_contracts(self) -> Iterator[SqlmlError]:
        for step in self._steps.values():
            node = step.node
            if isinstance(node, SqlNode) and step.output is not None and step.reasons == (UNCHANGED,):
                # What was built is what it returns: it shows the types that no compiler knew.
                error = sql_breach(node, step.output.columns, CompileError)
                if error is not None:
                    yield error
            elif isinstance(node, MlNode) and node.ml_model.has_contract and step.is_selected:
                champion, now = self._snapshot.champion(node.name), self._compiled.signatures.get(node.id)
                if champion is not None and now is not None:
                    yield from check_ml_contract(self._compiled.dag, node, now, step.fingerprint, champion)

    def _check_request(self) -> None:
        names = {node.name: node.id for node in self._nodes.values() if isinstance(node, MlNode)}
        errors: list[SqlmlError] = []
        for name in sorted(self._request.retrain):
            if name not in names:
                errors.append(CommandError(f"there is no ML model '{name}'", fix=suggest(name, names, "there are")))
            elif names[name] not in self._request.selected:
                what = f"ml model '{name}' is to be trained again but is not selected"
                errors.append(CommandError(what, fix=f"select '{name}' too"))
        raise_all(errors)

    def _fingerprint(self, node: Node) -> Fingerprint:
        output = self._snapshot.outputs.get(node.id)
        if output is not None and output.of_target:
            return self._deferred[node.id]
        if node.is_stored and node.id not in self._request.selected and output is not None:
            certain = {name: n for name, n in self._champions.items() if name not in self._crowning}
            return fingerprint_stored(output, self._effective, certain)
        return recompose(node, self._compiled.fingerprints, self._effective)

    def _find_fits(self, node: Node) -> frozenset[str]:
        """Return the ML models that may get another champion in this build and whose predictions `node` will hold."""
        if node.is_stored and node.id not in self._request.selected:
            return frozenset()
        found = {name for parent in node.parents for name in self._below[parent] if not parent.startswith("ml_model.")}
        if (name := node.alias_read) is not None and name in self._crowning:
            found.add(name)
        return frozenset(found)

    def _leave_out(self, node: Node) -> Decision | None:
        """Return that `node` waits for aliases that no version has, of ML models that were or would be fitted."""
        lacking = [
            key
            for key in self._effective[node.id].champions
            if key not in self._champions
            and key not in self._crowning
            # One that was never fitted and is not selected is a mistake of the selection, which its reader will tell.
            and (self._snapshot.is_fitted(ml_model_of(key)) or f"ml_model.{ml_model_of(key)}" in self._request.selected)
        ]
        return Decision(Action.KEEP, tuple(map(lacks_text, lacking))) if lacking else None

    def _step(self, node: Node) -> Step:
        fingerprint = self._effective[node.id]
        output = self._snapshot.outputs.get(node.id)
        tests: tuple[TestNode, ...] = ()
        gates: tuple[GateResult, ...] = ()
        takes_over = False
        if isinstance(node, MlNode):
            gates = self._gates(node)
            takes_over = self._may_take_over(node, gates)
            decision = self._decide_ml_model(node, takes_over)
            if decision.action is Action.RUN:
                gates, takes_over = (), False
        elif isinstance(node, TestNode):
            decision = self._decide_test(node)
        elif isinstance(node, BuiltNode):
            decision = self._decide_relation(node, output)
            tests = self._carried_tests(node)
            decision, tests = self._with_tests(node, decision, tests)
        else:
            decision = self._decide_read(node)
        return Step(
            node,
            decision.action,
            decision.reasons,
            fingerprint,
            tests,
            gates,
            output=output,
            due=decision.due,
            takes_over=takes_over,
        )

    def _decide_relation(self, node: BuiltNode, output: Output | None) -> Decision:
        fingerprint = self._effective[node.id]
        if (left_out := self._leave_out(node)) is not None:
            return left_out
        if not node.is_stored:
            return self._decide_read(node)
        reasons = self._reasons_to_run(fingerprint, output)
        if reasons:
            return Decision(Action.RUN, reasons)
        return self._decide_read(node)

    def _reasons_to_run(self, fingerprint: Fingerprint, output: Output | None) -> tuple[str, ...]:
        if output is None:
            return ("new",)
        if self._request.full_refresh:
            return ("full refresh",)
        changed = explain_change(fingerprint, output.fingerprint, self._nodes)
        if changed:
            return changed
        if output.kind == "table" and not Path(output.location or "").is_dir():
            return ("files are missing",)
        return self._changed_champions(fingerprint, output.champions)

    def _changed_champions(self, fingerprint: Fingerprint, held: Mapping[str, VersionRef]) -> tuple[str, ...]:
        return tuple(
            f"{alias_text(name)} changed"
            for name in fingerprint.champions
            if name in self._champions and held.get(name) != self._champions[name]
        )

    def _decide_read(self, node: Node) -> Decision:
        """Decide on what has nothing to do but for a fit above it."""
        if (left_out := self._leave_out(node)) is not None:
            return left_out
        if self._below[node.id]:
            return Decision(Action.DECIDE, tuple(f"'{name}' is trained again" for name in sorted(self._below[node.id])))
        return Decision(Action.KEEP, (UNCHANGED if node.is_stored else "read",))

    def _decide_ml_model(self, node: MlNode, takes_over: bool) -> Decision:
        fingerprint, latest = self._effective[node.id], self._snapshot.latest(node.name)
        held = {name: self._champions[name] for name in fingerprint.champions if name in self._champions}
        if (left_out := self._leave_out(node)) is not None:
            return left_out
        decision = decide_fit(Fitting(node, fingerprint, latest, held), self._request, self._nodes)
        is_below = self._below[node.id] and node.ml_model.retrain.when == "changed" and not self._request.no_retrain
        if decision.reasons == (UNCHANGED,) and is_below:
            decision = self._decide_read(node)
        if decision.action is not Action.KEEP or takes_over:
            self._crowning.add(node.name)
        return decision

    def _may_take_over(self, node: MlNode, gates: Sequence[GateResult]) -> bool:
        """Return whether the newest version may become champion because its gates were loosened."""
        latest, champion = self._snapshot.latest(node.name), self._snapshot.champion(node.name)
        if latest is None or latest.has_passed or not latest.may_follow(champion):
            return False
        return is_promoted(node.ml_model, self._snapshot.alias(node.name), gates)

    def _gates(self, node: MlNode) -> tuple[GateResult, ...]:
        latest = self._snapshot.latest(node.name)
        if latest is None:
            return ()
        ml_model = node.ml_model
        refused = refused_suspects(self._compiled.dag.project, ml_model, latest.facts)
        return check_gates(ml_model.gates, latest.metrics, gate_dataset(ml_model), comparisons_of(latest), refused)

    def _is_carried(self, node: Node) -> bool:
        """Return whether the step of its owner runs this data test, or it cannot be run in this build at all."""
        if not isinstance(node, TestNode):
            return False
        owner = self._steps.get(node.owner)
        if owner is not None and node in owner.tests:
            return True
        # It came along with one of its parents, and waits for the others.
        return not self._can_run(node) and any(parent in self._request.selected for parent in node.parents)

    def _can_run(self, node: TestNode) -> bool:
        """Return whether all that a data test reads exists or is selected."""
        return all(
            parent in self._request.selected or parent in self._snapshot.outputs or not self._nodes[parent].is_stored
            for parent in node.parents
        )

    def _carried_tests(self, owner: Node) -> tuple[TestNode, ...]:
        return tuple(node for node in self._tests.get(owner.id, ()) if self._can_run(node))

    def _with_tests(
        self, owner: BuiltNode, decision: Decision, tests: tuple[TestNode, ...]
    ) -> tuple[Decision, tuple[TestNode, ...]]:
        """Return what is done with a relation that has data tests, and the tests that its own step runs."""
        due = [test for test in tests if self._is_due(test)]
        if decision.action is Action.RUN:
            return decision, tests
        if decision.action is Action.DECIDE:
            names = tuple(f"data test '{test.name}' is due" for test in due)
            return (Decision(Action.RUN, (*decision.reasons, *names)) if due else decision), tests
        # An ephemeral has nothing to publish; its failing tests stop what reads it, which its own step tells.
        if due and not owner.is_stored and self._leave_out(owner) is None:
            return Decision(Action.RUN, tuple(f"data test '{test.name}' is due" for test in due)), tuple(due)
        return decision, ()

    def _is_due(self, node: TestNode) -> bool:
        return bool(self._reasons_to_test(node, recompose(node, self._compiled.fingerprints, self._effective)))

    def _reasons_to_test(self, node: TestNode, fingerprint: Fingerprint) -> tuple[str, ...]:
        if self._request.full_refresh:
            return ("full refresh",)
        outcome = self._snapshot.tests.get(node.id)
        if outcome is None:
            return ("new",)
        changed = explain_change(fingerprint, outcome.fingerprint, self._nodes)
        return changed or self._changed_champions(fingerprint, outcome.champions)

    def _decide_test(self, node: TestNode) -> Decision:
        fingerprint = self._effective[node.id]
        if (left_out := self._leave_out(node)) is not None:
            return left_out
        reasons = self._reasons_to_test(node, fingerprint)
        if not reasons and self._below[node.id]:
            reasons = tuple(f"'{name}' is trained again" for name in sorted(self._below[node.id]))
        if reasons:
            return Decision(Action.RUN, reasons)
        outcome = self._snapshot.tests[node.id]
        return Decision(Action.KEEP, (UNCHANGED if outcome.status != "fail" else "failed before, unchanged",))
