"""Trials of a search that has not ended, as they are kept until a version is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlml.ir.state import Metric


@dataclass(frozen=True, slots=True)
class KeptTrial:
    """A trial that did not fail.

    Attributes:
        number: from 1, in the order in which the search asked for it.
        choice: what was tried, as Python writes it.
        folds: what each fold measured.
        duration_s: wall seconds of the trial.
        spent_s: wall seconds of the search until then, those of builds that were interrupted included.
    """

    number: int
    choice: str
    folds: tuple[tuple[Metric, ...], ...]
    duration_s: float
    spent_s: float


@dataclass(frozen=True, slots=True)
class TrialLog:
    """Where a search writes down its trials; by default nowhere.

    Attributes:
        known: those of the same search in builds that were interrupted, by their numbers.
        keep: writes one down at once, so that it outlives the process; called from any thread.
    """

    known: tuple[KeptTrial, ...] = ()
    keep: Callable[[KeptTrial], None] = lambda trial: None


OpenTrials = Callable[[str], TrialLog]
"""Gives the log of a search, by the digest of the rows that it is about."""


def no_trials(rows: str) -> TrialLog:
    """Return a log that keeps nothing, for a fit that no state is about."""
    return TrialLog()
