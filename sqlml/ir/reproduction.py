"""What came of fitting a version again from what it recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Something of a version that was held against its second fit.

    Attributes:
        name: `fitted stages`, `metrics` …
        differs: what is not the same, in words; empty: all of it is.
    """

    name: str
    compared: int
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A second fit of a version.

    Attributes:
        made_from: names of what was read: builds that are kept, and files.
        parts: what was compared.
        notes: what is not as it was then, though it should make no difference.
    """

    ml_model: str
    version: int
    made_from: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_identical(self) -> bool:
        """Whether nothing differs, to the last bit."""
        return not any(part.differs for part in self.parts)
