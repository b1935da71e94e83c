"""What a plan means for an ML model, in one word with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictKind(StrEnum):
    """What a build comes to for an ML model and who reads it."""

    UNCHANGED = "unchanged"
    PREDICT_AGAIN = "predict again"  # the champion stays, and scores rows anew
    DUE = "retrain due"  # a change waits for its day
    RETRAIN = "retrain"
    BREAKING = "breaking"  # retrain, and what it reads or returns is not what its champion does


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict.

    Attributes:
        why: reasons, also why it is not fitted again.
        again: names of what the champion makes again.
        due: UTC, of a retraining that waits.
        breaches: what its readers or callers will not find as it was.
        readers: names of the SQL models that read its predictions, and of its outputs.
    """

    kind: VerdictKind
    why: tuple[str, ...] = ()
    due: str | None = None
    breaches: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    again: tuple[str, ...] = ()

    def __str__(self) -> str:
        why = f" ({'; '.join(self.why)})" if self.why else ""
        if self.kind is VerdictKind.DUE:
            return f"retrain due on {self.due} UTC{why}"
        if self.kind is VerdictKind.PREDICT_AGAIN:
            return f"predict again: {', '.join(self.again)}{why}"
        if self.kind is VerdictKind.BREAKING:
            read_by = f", read by {', '.join(self.readers)}" if self.readers else ""
            return f"breaking: {'; '.join(self.breaches)}{read_by}; retrain{why}"
        return f"{self.kind.value}{why}"
