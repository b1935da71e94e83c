"""Trials of a search that has not ended, as they are kept until a version is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlml.ir.gates import measured_places, measured_tops
from sqlml.ir.project import MlModel
from sqlml.ir.state import Fingerprint, Metric


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


def name_search(ml_model: MlModel, fingerprint: Fingerprint, champions: Mapping[str, object]) -> str:
    """Return what tells a search from any other whose trials could be worth, or measure, something else.

    Args:
        fingerprint: of the ML model; it does not hold gates, and what these are about is measured of a trial too.
        champions: what it depends on by alias, with what each is now.
    """
    measured = [*measured_tops(ml_model), *measured_places(ml_model)]
    return " ".join([fingerprint.digest, *[f"{name}={champions[name]}" for name in sorted(champions)], str(measured)])


def no_trials(rows: str) -> TrialLog:
    """Return a log that keeps nothing, for a fit that no state is about."""
    return TrialLog()
