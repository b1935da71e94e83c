"""Runs a plan: steps at once where nothing orders them, RunResults out; what a failure stops is skipped, not lost."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter

from sqlml.ir.dag import MlNode, MlOutputNode, TestNode
from sqlml.ir.engine import Engine
from sqlml.ir.plan import Action, Plan, Step
from sqlml.ir.results import Progress, RunResults, Status, StepResult
from sqlml.ir.state import CHAMPION
from sqlml.ir.store import Store
from sqlml.run.steps import StepRunner

CANCEL_INTERVAL_S = 0.5
_STOPS = (Status.ERROR, Status.FAIL, Status.SKIPPED)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a plan is run.

    Attributes:
        run_id: names the run and what it publishes.
        threads: steps at once; None: 4, and fits one at a time.
        is_fail_fast: start nothing more after the first failure.
    """

    run_id: str
    threads: int | None = None
    is_fail_fast: bool = False


def run_plan(plan: Plan, engine: Engine, store: Store, progress: Progress, options: RunOptions) -> RunResults:
    """Run every step of `plan` and return how each ended.

    A failed step skips what reads it; a failed gate does not, as long as there is a champion to predict with.
    Only a bug raises; a step's error is in its result.
    """
    return _Run(plan, engine, store, progress, options).go()


class _Run:
    def __init__(self, plan: Plan, engine: Engine, store: Store, progress: Progress, options: RunOptions) -> None:
        self._steps = {step.node.id: step for step in plan.steps}
        self._runner = StepRunner(plan, engine, store, options.run_id)
        self._engine = engine
        self._store = store
        self._progress = progress
        self._options = options
        self._edges = _edges(plan)
        self._results: dict[str, StepResult] = {}

    def go(self) -> RunResults:
        started_at, started = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        sorter = TopologicalSorter(self._edges)
        sorter.prepare()
        threads = self._options.threads
        with (
            ThreadPoolExecutor(threads or 4, "step") as steps,
            # Two fits at once compete for the same memory and are seldom faster than one after the other.
            ThreadPoolExecutor(threads or 1, "fit") as fits,
        ):
            running: dict[Future[StepResult], str] = {}
            try:
                while sorter.is_active():
                    for node_id in sorter.get_ready():
                        if (result := self._without_running(node_id)) is not None:
                            self._end(result)
                            sorter.done(node_id)
                        else:
                            pool = fits if isinstance(self._steps[node_id].node, MlNode) else steps
                            running[pool.submit(self._run, self._steps[node_id])] = node_id
                    if running:
                        for future in wait(running, return_when=FIRST_COMPLETED).done:
                            node_id = running.pop(future)
                            self._end(future.result())
                            sorter.done(node_id)
            except BaseException:
                for pool in (steps, fits):
                    pool.shutdown(wait=False, cancel_futures=True)
                self._cancel(running)
                raise
        results = tuple(self._results[node_id] for node_id in self._steps)
        return RunResults(self._options.run_id, started_at, time.monotonic() - started, results)

    def _cancel(self, running: Collection[Future[StepResult]]) -> None:
        # Again and again: between two jobs of a step there is nothing to cancel.
        while wait(running, timeout=CANCEL_INTERVAL_S).not_done:
            self._engine.cancel()

    def _run(self, step: Step) -> StepResult:
        if step.action is not Action.KEEP:
            self._progress.started(step.node.id)
        return self._runner.run(step)

    def _end(self, result: StepResult) -> None:
        self._results[result.node_id] = result
        if self._steps[result.node_id].is_selected:
            self._store.record_step(self._options.run_id, result)
            self._progress.ended(result)

    def _without_running(self, node_id: str) -> StepResult | None:
        """Return the result of a step that something before it stops, else None."""
        for before in self._edges[node_id]:
            if self._stops(self._results[before], node_id):
                name = self._steps[before].node.name
                return StepResult(node_id, Status.SKIPPED, message=f"'{name}' {_why(self._results[before])}")
        has_failed = any(result.status in (Status.ERROR, Status.FAIL) for result in self._results.values())
        if self._options.is_fail_fast and has_failed:
            return StepResult(node_id, Status.SKIPPED, message="--fail-fast")
        return None

    def _stops(self, before: StepResult, node_id: str) -> bool:
        step, node = self._steps[before.node_id], self._steps[node_id].node
        if isinstance(step.node, MlNode) and isinstance(node, MlOutputNode) and node.version != CHAMPION:
            # Another version than what was to be fitted now, or its own step says that it is not there.
            return False
        if isinstance(step.node, MlNode) and node.alias_read == step.node.name:
            # A failed gate leaves the champion, which the node's own step looks for.
            return before.status is Status.ERROR
        if isinstance(step.node, TestNode):
            return before.status in (Status.ERROR, Status.FAIL)
        return before.status in _STOPS


def _edges(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return for each step those that must end first: its parents, and the data tests that they own."""
    ids = {step.node.id for step in plan.steps}
    tests: dict[str, list[str]] = {}
    for step in plan.steps:
        if isinstance(step.node, TestNode):
            tests.setdefault(step.node.owner, []).append(step.node.id)
    edges: dict[str, tuple[str, ...]] = {}
    for step in plan.steps:
        parents = [parent for parent in step.node.parents if parent in ids]
        # What its own data tests read besides itself; it comes last of them in DAG order, so this makes no cycle.
        parents += [read for test in step.tests for read in test.parents if read in ids and read != step.node.id]
        if not isinstance(step.node, TestNode):
            parents += [test for parent in parents for test in tests.get(parent, ())]
        edges[step.node.id] = tuple(dict.fromkeys(parents))
    return edges


def _why(result: StepResult) -> str:
    return {Status.SKIPPED: "was skipped", Status.FAIL: "failed"}.get(result.status, "could not be built")
