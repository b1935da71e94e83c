"""RunResults: what a run did, step by step (the run phase's product), and what it reports while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sqlml.errors import SqlmlError


class Status(StrEnum):
    """How a step ended."""

    SUCCESS = "success"
    KEPT = "kept"  # unchanged, nothing was done
    WARN = "warn"  # a data test of severity warn found rows
    FAIL = "fail"  # a data test or a gate failed
    ERROR = "error"  # the step could not be finished
    SKIPPED = "skipped"  # something before it failed


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step's end.

    Attributes:
        rows: rows written or fitted on; None where it means nothing.
        duration_s: wall seconds.
        message: one line for a person (`areaUnderROC 0.738`, `3 rows failed`, why it was skipped).
        error: what failed, in full.
    """

    node_id: str
    status: Status
    duration_s: float = 0.0
    rows: int | None = None
    message: str = ""
    error: SqlmlError | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResults:
    """All steps' ends, in the order of the plan."""

    run_id: str
    started_at: str
    duration_s: float
    results: tuple[StepResult, ...]

    @property
    def exit_code(self) -> int:
        """0 if all went well, 2 if input was wrong, else 1 if anything failed."""
        bad = [result for result in self.results if result.status in (Status.FAIL, Status.ERROR)]
        return max((result.error.exit_code if result.error else 1 for result in bad), default=0)


class Progress(Protocol):
    """Whom a run tells what it does; called from several threads."""

    def started(self, node_id: str) -> None:
        """A step began."""

    def ended(self, result: StepResult) -> None:
        """A step ended, was kept or was skipped."""
