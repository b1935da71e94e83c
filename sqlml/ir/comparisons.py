"""How a version did against another one on rows that neither was fitted on: what gates `not_worse_than` go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlml.ir.metrics import kind_of
from sqlml.ir.records import VersionRecord
from sqlml.ir.state import Version

FACT = "comparisons"
"""The fact of a version under which they are kept."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Whom a fit is compared with.

    Attributes:
        version: that bears the alias; None: there is none.
        record: what it was made of; None: an older sqlml kept none.
    """

    alias: str
    version: Version | None = None
    record: VersionRecord | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric of a candidate and of its rival on the same held-out rows, those left out that the rival was fitted on.

    Attributes:
        version: the rival's number; None: no version bore the alias.
        rows: on how many it was measured; of a ranking, over how many users.
        now, was: the candidate's value and the rival's; None where there is none.
        gain_low, gain_high: ends of the 95 % interval of how much better the candidate is, by a bootstrap that draws
            the same rows for both.
        undecided: why it cannot be told which is better; empty where it can.
    """

    alias: str
    version: int | None
    metric: str = ""
    slice: str = ""
    rows: int = 0
    now: float | None = None
    was: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    undecided: str = ""

    @property
    def is_of_places(self) -> bool:
        """Whether the metric is of a ranking: `rows` are users then."""
        kind = kind_of(self.metric)
        return kind is not None and kind.takes_k

    @property
    def of_what(self) -> str:
        """What it is measured over, with their number."""
        return f"{self.rows} {'users' if self.is_of_places else 'rows'}"


def comparisons_of(version: Version) -> tuple[Comparison, ...]:
    """Return the comparisons that were made when a version was fitted."""
    names = {field.name for field in fields(Comparison)}
    kept: list[Mapping[str, Any]] = list(version.facts.get(FACT, ()))
    return tuple(Comparison(**{name: value for name, value in entry.items() if name in names}) for entry in kept)
