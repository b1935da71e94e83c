"""What each kind of step does: a Step in, a StepResult out, over an Engine and a Store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlml.errors import DataError, SqlmlError
from sqlml.ir.comparisons import FACT as COMPARED
from sqlml.ir.comparisons import Rival
from sqlml.ir.contracts import Promise, find_ml_breaches, say_ml_breach
from sqlml.ir.dag import AlgorithmNode, MlNode, MlOutputNode, SeedNode, SqlNode, TestNode
from sqlml.ir.engine import Engine, Fitted, Written
from sqlml.ir.gates import check_gates, gate_dataset, is_promoted
from sqlml.ir.kept_trials import TrialLog, name_search
from sqlml.ir.metrics import headline
from sqlml.ir.plan import Action, Plan, Step
from sqlml.ir.results import Status, StepResult
from sqlml.ir.state import CHAMPION, Alias, GateResult, Output, TestOutcome, Version, lacks_text
from sqlml.ir.store import Store
from sqlml.ir.suspects import refused_suspects, with_suspects_said
from sqlml.ir.trials import say_choice
from sqlml.run.recording import Readable, make_record
from sqlml.run.relations import Champions, Relations

TableNode = SeedNode | SqlNode | MlOutputNode | AlgorithmNode


class StepRunner:
    """Runs the steps of one plan, one call each, from any thread.

    Args:
        run_id: names what this run publishes without a folder of its own.
    """

    def __init__(self, plan: Plan, engine: Engine, store: Store, run_id: str) -> None:
        self._steps = {step.node.id: step for step in plan.steps}
        self._fingerprints = plan.compiled.fingerprints
        self._snapshot = plan.snapshot
        self._engine = engine
        self._store = store
        self._run_id = run_id
        self._plan = plan
        # What steps read, as this run goes on.
        self._outputs = dict(plan.snapshot.outputs)
        self._made: dict[str, Version] = {}
        self._champions = Champions.of(plan.snapshot)
        self._relations = Relations(plan.compiled.dag, plan.snapshot, engine, self._champions, plan.deferral)

    def run(self, step: Step) -> StepResult:
        """Do what `step` says and return how it ended; bad data and Spark's failures are results, not raised."""
        started = time.monotonic()
        try:
            result = self._dispatch(step)
        except SqlmlError as error:
            result = StepResult(step.node.id, Status.ERROR, message=error.what, error=error)
        return replace(result, duration_s=time.monotonic() - started)

    def _dispatch(self, step: Step) -> StepResult:
        node = step.node
        if isinstance(node, MlNode):
            is_kept = step.action is Action.KEEP or (step.action is Action.DECIDE and self._is_fitted(step, node))
            return self._keep_fitted(step, node) if is_kept else self._fit(step, node)
        if isinstance(node, TestNode):
            return self._kept_test(step, node) if step.action is Action.KEEP else self._test(step, node)
        if node.alias_read is not None and self._champions.get(node.alias_read) is None:
            return StepResult(node.id, Status.SKIPPED, message=lacks_text(node.alias_read))
        if step.action is Action.KEEP or (step.action is Action.DECIDE and self._is_current(step)):
            return StepResult(node.id, Status.KEPT, message="unchanged")
        if isinstance(node, SqlNode) and node.materialized == "ephemeral":
            return self._audit_only(step)
        if isinstance(node, SqlNode) and node.materialized == "view":
            return self._build_view(step, node)
        if isinstance(node, SeedNode | SqlNode | MlOutputNode | AlgorithmNode):
            return self._build_table(step, node)
        return StepResult(node.id, Status.KEPT)

    def _is_current(self, step: Step) -> bool:
        output = step.output
        return (
            output is not None
            and output.fingerprint.digest == step.fingerprint.digest
            and dict(output.champions) == self._champions.refs(step.fingerprint.champions)
        )

    def _is_fitted(self, step: Step, node: MlNode) -> bool:
        latest = self._snapshot.latest(node.name)
        return latest is not None and (
            latest.fingerprint.digest == step.fingerprint.digest
            and latest.facts.get("champions") == self._champions.refs(step.fingerprint.champions)
        )

    def _build_table(self, step: Step, node: TableNode) -> StepResult:
        self._relations.define_parents(node)
        folder = self._store.begin_output(node.id)
        try:
            written = self._write(node, folder)
            self._store.data_written(node.id)
            outcomes = self._audit(step)
        except SqlmlError:
            self._store.discard(folder)
            raise
        if any(outcome.status == "fail" for outcome in outcomes):
            self._store.discard(folder)
            return _audit_result(step, outcomes, written.rows)
        self._store.audited(node.id)
        self._publish(step, outcomes, str(folder), written)
        return _audit_result(step, outcomes, written.rows)

    def _write(self, node: TableNode, folder: Path) -> Written:
        if not isinstance(node, MlOutputNode):
            return self._engine.write_table(node, folder)
        read = {parent: self._steps[parent].node.relation for parent in node.parents if parent != node.ml_model}
        return self._engine.write_ml_output(node, self._version(node), read, folder)

    def _version(self, node: MlOutputNode) -> Version:
        """Return the version that a table is of.

        Raises:
            DataError: there is no such version.
        """
        name, wanted = node.ml_model.partition(".")[2], str(node.version)
        made = self._made.get(name)
        if node.alias_read is not None:
            version = self._champions.get(node.alias_read)
        elif made is not None and str(made.version) == wanted:
            version = made
        else:
            version = self._snapshot.find(name, wanted)
        if version is None:
            made_now = [] if made is None else [str(made.version)]
            known = ", ".join(dict.fromkeys([*self._snapshot.known_versions(name), *made_now])) or "none"
            raise DataError(f"'{name}' has no version {wanted}", node.places.whole, f"there are: {known}")
        return version

    def _build_view(self, step: Step, node: SqlNode) -> StepResult:
        self._relations.define_parents(node)
        columns = self._engine.define_view(node)
        outcomes = self._audit(step)
        if not any(outcome.status == "fail" for outcome in outcomes):
            self._store.audited(node.id)
            self._publish(step, outcomes, None, Written(0, columns))
        return _audit_result(step, outcomes, None)

    def _publish(self, step: Step, outcomes: Sequence[TestOutcome], location: str | None, written: Written) -> None:
        node = step.node
        output = Output(
            node_id=node.id,
            build_id=Path(location).name if location else self._run_id,
            kind="table" if location else "view",
            fingerprint=step.fingerprint,
            relation=node.relation,
            location=location,
            sql=node.sql.text if isinstance(node, SqlNode) else None,
            columns=written.columns,
            rows=written.rows if location else None,
            champions=self._champions.refs(step.fingerprint.champions),
            parents=node.parents,
            built_at=_now(),
        )
        self._store.publish_output(output, outcomes)
        self._outputs[node.id] = output
        self._relations.is_defined(node.id)

    def _audit(self, step: Step) -> list[TestOutcome]:
        if not step.tests:
            return []
        for test in step.tests:
            self._relations.define_parents(test, but=test.owner)
        counts = self._engine.count_failures([(test, step.node.relation) for test in step.tests])
        return [self._outcome(test, counts[test.id]) for test in step.tests]

    def _outcome(self, test: TestNode, failures: int) -> TestOutcome:
        fingerprint = self._fingerprints[test.id]
        champions = self._champions.refs(fingerprint.champions)
        status: Literal["pass", "warn", "fail"] = "pass"
        if failures:
            status = "warn" if test.test.severity == "warn" else "fail"
        return TestOutcome(test.id, fingerprint, status, failures, champions)

    def _audit_only(self, step: Step) -> StepResult:
        """Test an ephemeral, which is not kept: its failing tests stop what reads it."""
        if not step.tests:
            return StepResult(step.node.id, Status.KEPT)
        self._relations.define(step.node.id)
        outcomes = self._audit(step)
        self._store.record_tests(outcomes)
        return _audit_result(step, outcomes, None)

    def _test(self, step: Step, node: TestNode) -> StepResult:
        self._relations.define_parents(node)
        owner = self._steps[node.owner].node
        counts = self._engine.count_failures([(node, owner.relation)])
        outcome = self._outcome(node, counts[node.id])
        self._store.record_tests([outcome])
        return _test_result(node, outcome)

    def _kept_test(self, step: Step, node: TestNode) -> StepResult:
        outcome = self._snapshot.tests[node.id]
        return StepResult(node.id, Status.KEPT) if outcome.status == "pass" else _test_result(node, outcome)

    def _fit(self, step: Step, node: MlNode) -> StepResult:
        started = time.monotonic()
        self._relations.define(node.training_relation)
        number, folder = self._store.begin_version(node.name)
        try:
            training = self._steps[node.training_relation].node.relation
            log = partial(self._open_trials, step, node)
            fitted = self._engine.fit(node, training, folder, self._rivals(node), log)
            self._check_contract(node, fitted)
        except SqlmlError:
            self._store.discard(folder)
            raise
        dataset = gate_dataset(node.ml_model)
        project = self._plan.compiled.dag.project
        facts = with_suspects_said(project, node.ml_model, fitted.facts)
        refused = refused_suspects(project, node.ml_model, facts)
        gates = check_gates(node.ml_model.gates, fitted.metrics, dataset, fitted.comparisons, refused)
        version = Version(
            ml_model=node.name,
            version=number,
            location=str(folder),
            fingerprint=step.fingerprint,
            signature=fitted.signature,
            metrics=fitted.metrics,
            gates=gates,
            facts={
                **facts,
                COMPARED: [asdict(comparison) for comparison in fitted.comparisons],
                "champions": self._champions.refs(step.fingerprint.champions),
                "duration_s": round(time.monotonic() - started, 3),
            },
            created_at=_now(),
        )
        alias = Alias(CHAMPION, number) if is_promoted(node.ml_model, self._snapshot.alias(node.name), gates) else None
        record = make_record(self._plan, node, fitted, *self._readable())
        self._store.publish_version(version, alias, record)
        self._made[node.name] = version
        if alias is not None:
            self._champions.crown(version)
        metrics = {
            entry.metric: entry.value for entry in fitted.metrics if entry.dataset == dataset and not entry.slice
        }
        shown = headline(fitted.metrics, dataset)
        message = f"version {number}" + (f", {shown.metric} {shown.value:.4f} on {dataset}" if shown else "")
        message = "; ".join([message, *_notes(facts)])
        return _gates_result(
            node, gates, StepResult(node.id, Status.SUCCESS, 0.0, fitted.rows, message, metrics=metrics)
        )

    def _open_trials(self, step: Step, node: MlNode, rows: str) -> TrialLog:
        """Give the log of a search, which is another if anything is that its trials could depend on."""
        search = name_search(node.ml_model, step.fingerprint, self._champions.refs(step.fingerprint.champions))
        known = self._store.take_over_trials(node.name, search, rows)
        return TrialLog(known, partial(self._store.keep_trial, node.name, search, rows))

    def _readable(self) -> tuple[Readable, Readable | None]:
        """Return what this target has to read as the run goes on, and what another one had."""
        own, deferral = Readable(self._plan.compiled.dag, self._outputs, self._champions), self._plan.deferral
        if deferral is None:
            return own, None
        there = deferral.snapshot
        return own, Readable(deferral.dag, there.outputs, Champions.of(there), deferral.target)

    def _rivals(self, node: MlNode) -> tuple[Rival, ...]:
        """Return whom gates compare a fit with, as the aliases point now."""
        rivals = []
        for name in dict.fromkeys(gate.not_worse_than for gate in node.ml_model.gates if gate.not_worse_than):
            version = self._snapshot.find(node.name, name)
            rivals.append(Rival(name, version, None if version is None else self._store.record(version)))
        return tuple(rivals)

    def _check_contract(self, node: MlNode, fitted: Fitted) -> None:
        """Refuse a fit that reads or returns something else than the champion, as far as no compiler could know it."""
        champion = self._champions.get(node.name)
        if champion is None or not node.ml_model.has_contract:
            return
        signature = fitted.signature
        positive = signature.classes[1] if len(signature.classes) == 2 else None
        reads = (*signature.features, *signature.inputs)
        rows = find_ml_breaches(champion, Promise(reads, signature.outputs, positive=positive))
        if rows:
            what, fix = say_ml_breach(node.name, champion.version, rows)
            raise DataError(what, node.ml_model.places.of("contract"), fix)

    def _keep_fitted(self, step: Step, node: MlNode) -> StepResult:
        """Report the gates again, and let a version take over whose gates were loosened since it was fitted."""
        latest = self._snapshot.latest(node.name)
        if step.takes_over and latest is not None:
            self._store.move_alias(node.name, Alias(CHAMPION, latest.version))
            self._champions.crown(latest)
            return StepResult(node.id, Status.SUCCESS, message=f"version {latest.version} passes its gates now")
        message = "; ".join(step.reasons) if step.action is Action.KEEP else "unchanged"
        return _gates_result(node, step.gates, StepResult(node.id, Status.KEPT, message=message))


def _notes(facts: Mapping[str, Any]) -> list[str]:
    """Return what a person should know of a fit beside its metrics."""
    notes = [f"warning: {warning}" for warning in facts.get("warnings", ())]
    if (tuning := facts.get("tuning")) is not None:
        notes.insert(0, f"best of {tuning['trials']} trials: {say_choice(tuning['params'])}")
    if (kept := _kept_trials(facts)) is not None:
        notes.append(kept)
    if (parts := facts.get("for_each")) is not None:
        notes.insert(0, f"a fitted model for each of {len(parts['values'])} values of '{parts['column']}'")
    if "maxBins" in facts.get("params_added", {}):
        notes.insert(0, f"maxBins {facts['params_added']['maxBins']} for the largest category")
    return notes


def _kept_trials(facts: Mapping[str, Any]) -> str | None:
    """Return how many trials an interrupted build had made; with `for_each:` each value has a search of its own."""
    owners = [facts, *facts.get("for_each", {}).get("values", {}).values()]
    searches = [owner["tuning"] for owner in owners if "tuning" in owner]
    kept, trials = (sum(search[key] for search in searches) for key in ("kept", "trials"))
    were = "trial was" if kept == 1 else "trials were"
    return f"{kept} of {trials} {were} kept from the build that was interrupted" if kept else None


def _gates_result(node: MlNode, gates: Sequence[GateResult], passed: StepResult) -> StepResult:
    """Return `passed`, or a failure that names the gates that did not pass."""
    failed = [gate for gate in gates if not gate.is_passed]
    if not failed:
        return passed
    reasons = "; ".join(f"gate {gate.gate}: {gate.reason}" for gate in failed)
    return replace(passed, status=Status.FAIL, message=f"{passed.message}; {reasons}" if passed.message else reasons)


def _audit_result(step: Step, outcomes: Sequence[TestOutcome], rows: int | None) -> StepResult:
    """Return how a relation's step ended, by the worst of its data tests."""
    names = {test.id: test.name for test in step.tests}
    bad = [outcome for outcome in outcomes if outcome.status != "pass"]
    is_failed = any(outcome.status == "fail" for outcome in bad)
    status = Status.FAIL if is_failed else Status.WARN if bad else Status.SUCCESS
    said = [f"{names[outcome.test_id]}: {_failing(outcome)}" for outcome in bad]
    if is_failed:
        said.append("not published")
    elif outcomes and not bad:
        said.append(f"{len(outcomes)} data tests passed" if len(outcomes) > 1 else "1 data test passed")
    return StepResult(step.node.id, status, rows=rows, message="; ".join(said))


def _test_result(node: TestNode, outcome: TestOutcome) -> StepResult:
    status = {"pass": Status.SUCCESS, "warn": Status.WARN, "fail": Status.FAIL}[outcome.status]
    return StepResult(node.id, status, message="" if outcome.status == "pass" else _failing(outcome))


def _failing(outcome: TestOutcome) -> str:
    return f"{outcome.failures} row{'' if outcome.failures == 1 else 's'} failed"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
