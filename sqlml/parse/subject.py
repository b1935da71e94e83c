"""What is being read, as errors call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlml.errors import ParseError
from sqlml.ir.location import SourceLocation


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being read, for messages.

    Attributes:
        name: as in "ml model 'late_arrival'".
        area: path of the grammar that its keys lie below (`ml_models`).
        locate: gives the place of a dotted key path below the subject.
    """

    name: str
    area: str
    locate: Callable[[str], SourceLocation]

    def error(self, key: str, what: str, fix: str | None = None) -> ParseError:
        """Return an error at `key`; `what` follows the subject's name and a colon."""
        return ParseError(f"{self.name}: {what}", self.locate(key), fix)
