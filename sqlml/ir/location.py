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
        column: from 1; None when the whole file is meant, or only the line is known.
        end_line, end_column: where it ends, the column excluded; None: unknown. Two places that start at one
            character are one place, however far each reaches.
    """

    path: str
    line: int
    column: int | None = None
    end_line: int | None = field(default=None, compare=False)
    end_column: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        column = "" if self.column is None else f":{self.column}"
        return f"{self.path}:{self.line}{column}"

    def columns_in(self, text: str) -> tuple[int, int]:
        """Return the columns that it takes of its first line, from 1, the end excluded.

        Args:
            text: that line. Where no end is known, it takes the word that stands there; without a column, the line.
        """
        text = text.rstrip()
        last = len(text) + 1
        if self.column is None:
            return min(len(text) - len(text.lstrip()) + 1, last), max(last, 2)
        start = self.column
        if self.end_column is None:
            end = start
            while end < last and (text[end - 1].isalnum() or text[end - 1] == "_"):
                end += 1
        else:
            end = min(self.end_column, last) if self.end_line == self.line else last
        return start, max(end, start + 1)

    def part(self, value: str, start: int, end: int | None) -> SourceLocation:
        """Return the place of the characters from `start` to `end` (excluded) of the `value` that stands here.

        A value of several lines, or with characters that quotes made others of, is meant as a whole.
        """
        if self.column is None or self.end_column is None or self.end_line != self.line or not 0 <= start < len(value):
            return self
        quote, rest = divmod(self.end_column - self.column - len(value), 2)
        if rest or quote not in (0, 1):
            return self
        first = self.column + quote
        return SourceLocation(self.path, self.line, first + start, self.line, first + max(end or 0, start + 1))


def locate_span(path: str, text: str, start: int, end: int) -> SourceLocation:
    """Return the place of the characters from offset `start` to `end` (excluded) of the file's `text`."""
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    end = max(end, start + 1)
    return SourceLocation(path, line, column, text.count("\n", 0, end) + 1, end - text.rfind("\n", 0, end))


def locate_line(path: str, text: str, line: int) -> SourceLocation:
    """Return the place of what is written in a line (from 1) of the file's `text`; the line alone if it is empty."""
    lines = text.split("\n")
    written = lines[line - 1].rstrip() if 0 < line <= len(lines) else ""
    if not written.strip():
        return SourceLocation(path, line)
    return SourceLocation(path, line, len(written) - len(written.lstrip()) + 1, line, len(written) + 1)


@dataclass(frozen=True, slots=True)
class Places:
    """The places of an entry and of each key below it.

    Attributes:
        whole: the entry's own place.
        keys: dotted key path (`params.maxIter`, `transforms.0.columns`) to its place.
        values: the same to the place of its value, where that can be told from the key's.
    """

    whole: SourceLocation
    keys: Mapping[str, SourceLocation] = field(default_factory=dict)
    values: Mapping[str, SourceLocation] = field(default_factory=dict)

    def of(self, key: str) -> SourceLocation:
        """Return the place of `key`, or of the nearest key above it."""
        while key:
            if key in self.keys:
                return self.keys[key]
            key = key.rpartition(".")[0]
        return self.whole

    def value_of(self, key: str) -> SourceLocation:
        """Return the place of the value of `key`, or of the key, or of the nearest key above it."""
        return self.values.get(key) or self.of(key)
