"""What is being read, as errors call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlml.errors import ParseError
from sqlml.ir.location import Places


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being read, for messages.

    Attributes:
        name: as in "ml model 'late_arrival'".
        area: path of the grammar that its keys lie below (`ml_models`).
        places: of its keys.
        written: gives the dotted path in `places` of a key path below the subject.
    """

    name: str
    area: str
    places: Places
    written: Callable[[str], str] = str

    def error(self, key: str, what: str, fix: str | None = None) -> ParseError:
        """Return an error at `key`; `what` follows the subject's name and a colon."""
        return ParseError(f"{self.name}: {what}", self.places.of(self.written(key)), fix)

    def value_error(self, key: str, what: str, fix: str | None = None) -> ParseError:
        """Return an error at the value of `key`."""
        return ParseError(f"{self.name}: {what}", self.places.value_of(self.written(key)), fix)
