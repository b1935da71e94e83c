"""What a run asks of whoever keeps its products (the persist phase fulfils it; the run phase never sees a database)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sqlml.ir.kept_trials import KeptTrial
from sqlml.ir.records import VersionRecord
from sqlml.ir.results import StepResult
from sqlml.ir.state import Alias, Output, Snapshot, TestOutcome, Version


class Store(Protocol):
    """Keeps outputs, versions and results. Data first, state second: a folder counts only once it is published.

    Every method may be called from several threads.
    """

    def snapshot(self) -> Snapshot:
        """Return what is current now."""

    def begin_output(self, node_id: str) -> Path:
        """Return a new folder's path (not yet made, never used before) for the data of a table."""

    def data_written(self, node_id: str) -> None:
        """Note that the data of `node_id` is whole, before its data tests run; wait until it is on disk."""

    def audited(self, node_id: str) -> None:
        """Note that the data of `node_id` passed its data tests and is about to be published."""

    def publish_output(self, output: Output, tests: Sequence[TestOutcome] = ()) -> None:
        """Make `output` its node's current one, with its tests' outcomes, in one transaction, then move the link."""

    def begin_version(self, ml_model: str) -> tuple[int, Path]:
        """Return the number and the new folder's path of the next version of `ml_model`."""

    def publish_version(self, version: Version, alias: Alias | None, record: VersionRecord | None = None) -> None:
        """Record `version` and its metrics, and move `alias` to it in the same transaction if one is given.

        What it was made of is written beside its files.
        """

    def record(self, version: Version) -> VersionRecord | None:
        """Return what a version was made of; None: an older sqlml kept none."""

    def take_over_trials(self, ml_model: str, search: str, rows: str) -> tuple[KeptTrial, ...]:
        """Return the trials that are kept of a search, by their numbers; those of another of `ml_model` are forgotten.

        Args:
            search: tells a search from any other that might find something else.
            rows: what it is about; with `for_each:` each value has rows of its own.
        """

    def keep_trial(self, ml_model: str, search: str, rows: str, trial: KeptTrial) -> None:
        """Keep a trial until a version of `ml_model` is published."""

    def move_alias(self, ml_model: str, alias: Alias) -> None:
        """Point an alias of `ml_model` to another version."""

    def record_tests(self, outcomes: Sequence[TestOutcome]) -> None:
        """Keep outcomes of data tests that ran on outputs already published."""

    def discard(self, folder: Path) -> None:
        """Remove a folder that will not be published."""

    def record_step(self, run_id: str, result: StepResult) -> None:
        """Keep how a step of a run ended."""
