"""Where something stands in the user's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a project file.

    Attributes:
        path: relative to the project's root, with forward slashes.
        line: from 1.
        column: from 1; None when only the line is known.
    """

    path: str
    line: int
    column: int | None = None

    def __str__(self) -> str:
        column = "" if self.column is None else f":{self.column}"
        return f"{self.path}:{self.line}{column}"


@dataclass(frozen=True, slots=True)
class Places:
    """The places of an entry and of each key below it.

    Attributes:
        whole: the entry's own place.
        keys: dotted key path (`params.maxIter`, `transforms.0.columns`) to its place.
    """

    whole: SourceLocation
    keys: Mapping[str, SourceLocation] = field(default_factory=dict)

    def of(self, key: str) -> SourceLocation:
        """Return the place of `key`, or of the nearest key above it."""
        while key:
            if key in self.keys:
                return self.keys[key]
            key = key.rpartition(".")[0]
        return self.whole
