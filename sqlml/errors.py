"""Every error a user can meet: what is wrong, where in the user's files, how to fix it; and the text it is shown as."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from sqlml.ir.location import SourceLocation


class Shared(NamedTuple):
    """What an error has in common with others, so that all of them can be shown as one.

    Attributes:
        what: the sentence for all of them; `{count}` stands for how many there are.
        line: what is this one's own.
        fix: for all of them.
    """

    what: str
    line: str
    fix: str


class SqlmlError(Exception):
    """An error with its place and its fix.

    Args:
        what: one sentence, names in single quotes.
        location: the user's file and line, if there is one.
        fix: what to do, if it is known.

    Attributes:
        code: of a diagnostic that a project may set to another level; empty for all other errors.
        severity: the word that its text begins with.
        shared: what it has in common with others.
        lines: what follows its place: one for each of those that it stands for.
    """

    exit_code = 2
    code = ""
    severity = "error"
    shared: Shared | None = None
    lines: tuple[str, ...] = ()

    def __init__(self, what: str, location: SourceLocation | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.location = location
        self.fix = fix


class ParseError(SqlmlError):
    """A project file that cannot be read: YAML, a key, a value, a Jinja or SQL syntax error."""


class ResolveError(SqlmlError):
    """A reference, a name or a selection that leads nowhere, or a cycle."""


class CompileError(SqlmlError):
    """A column, a parameter or a type that does not fit."""


class CommandError(SqlmlError):
    """A command that was asked for something that does not exist or may not be done."""


class DataError(SqlmlError):
    """Data that is not what the spec says: an empty table, one class, a null label, a missing column."""


class EnvironmentFault(SqlmlError):
    """The machine lacks something: Java, a package, a permission."""


class StepError(SqlmlError):
    """A step that Spark could not finish; `what` ends with the root cause in one line."""

    exit_code = 1


class EngineStopped(StepError):
    """A step whose work was cancelled, or whose engine is gone: nothing else that it does can succeed."""


class StateError(SqlmlError):
    """The state cannot be used now: another build holds the lock, or it was written by a newer sqlml."""

    exit_code = 1


class ErrorList(SqlmlError):
    """All errors of one phase, reported together."""

    def __init__(self, errors: Sequence[SqlmlError]) -> None:
        super().__init__("; ".join(error.what for error in errors))
        self.errors = tuple(errors)
        self.exit_code = max((error.exit_code for error in errors), default=2)


def raise_all(errors: Sequence[SqlmlError]) -> None:
    """Raise `errors` together, in the order of their places; do nothing if there are none."""
    flat = flatten(errors)
    if len(flat) == 1:
        raise flat[0]
    if flat:
        raise ErrorList(sorted(flat, key=_place))


def flatten(errors: Iterable[SqlmlError]) -> list[SqlmlError]:
    """Return the single errors in `errors`, without repeats, in order."""
    flat: dict[tuple[str, SourceLocation | None], SqlmlError] = {}
    for error in errors:
        for single in error.errors if isinstance(error, ErrorList) else (error,):
            flat.setdefault((single.what, single.location), single)
    return list(flat.values())


def _place(error: SqlmlError) -> tuple[str, int, int]:
    if error.location is None:
        return ("", 0, 0)
    return (error.location.path, error.location.line, error.location.column or 0)


def merge_shared(errors: Iterable[SqlmlError]) -> list[SqlmlError]:
    """Return one error for those that share what they say, at the place of the first of them."""
    groups: dict[tuple[object, ...], list[SqlmlError]] = {}
    for error in errors:
        shared = error.shared
        key = (id(error),) if shared is None else (error.code, error.severity, shared.what, shared.fix)
        groups.setdefault(key, []).append(error)
    return [group[0] if len(group) == 1 else _merged(group) for group in groups.values()]


def _merged(group: Sequence[SqlmlError]) -> SqlmlError:
    shared = [error.shared for error in group if error.shared is not None]
    merged = SqlmlError(shared[0].what.replace("{count}", str(len(group))), group[0].location, shared[0].fix)
    merged.code, merged.severity = group[0].code, group[0].severity
    merged.lines = tuple([one.line for one in shared])
    return merged


LinesOf = Callable[[str], Sequence[str] | None]
"""Gives the lines of a file of the project by its path, without their ends; None: it cannot be read."""

_WIDTH = 110
_SHOWN = 12
_TAB = "    "


def format_error(error: SqlmlError, lines_of: LinesOf | None = None) -> str:
    """Return `error` as the text a user reads; the errors of an `ErrorList` are divided by an empty line.

    Args:
        lines_of: where the lines come from that are shown, what is wrong underlined; None: none is shown.
    """
    if isinstance(error, ErrorList):
        return "\n\n".join(format_error(single, lines_of) for single in merge_shared(error.errors))
    head = f"{error.severity}[{error.code}]" if error.code else error.severity
    lines = [f"{head}: {error.what}"]
    if error.location is not None:
        lines.append(f"  --> {error.location}")
        lines += _underlined(error.location, lines_of)
    lines += [f"  - {line}" for line in error.lines[:_SHOWN]]
    if len(error.lines) > _SHOWN:
        lines.append(f"  - and {len(error.lines) - _SHOWN} more, which --json lists")
    if error.fix:
        lines.append(f"  fix: {error.fix}")
    return "\n".join(lines)


def _underlined(place: SourceLocation, lines_of: LinesOf | None) -> list[str]:
    """Return the line at `place` with carets below what is meant; nothing if the whole file is, or nothing is there."""
    lines = None if lines_of is None or place.column is None else lines_of(place.path)
    if lines is None or not 0 < place.line <= len(lines):
        return []
    text = lines[place.line - 1].rstrip()
    start, end = place.columns_in(text)
    if not 0 < start <= len(text) + 1:
        return []
    before, meant, after = (_printed(part) for part in (text[: start - 1], text[start - 1 : end - 1], text[end - 1 :]))
    before, meant, after = _cut(before, meant, after)
    number = str(place.line)
    return [
        f"  {number} | {before}{meant}{after}",
        f"  {' ' * len(number)} | {' ' * _width(before)}{'^' * max(_width(meant), 1)}",
    ]


def _printed(text: str) -> str:
    """Return `text` without what would move the cursor or cannot be seen."""
    return "".join(
        [_TAB if char == "\t" else char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text]
    )


def _cut(before: str, meant: str, after: str) -> tuple[str, str, str]:
    """Return the parts of a line, shortened at both ends to what fits."""
    if len(meant) > _WIDTH:
        meant, after = meant[: _WIDTH - 1] + "…", ""
    room = _WIDTH - len(meant)
    if len(before) + len(after) > room:
        kept = max(room - len(after), room // 2)
        before = before if len(before) <= kept else "…" + before[len(before) - kept + 1 :] if kept else ""
        rest = room - len(before)
        after = after if len(after) <= rest else after[: max(rest - 1, 0)] + "…"
    return before, meant, after


def _width(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def suggest(name: str, known: Iterable[str], label: str = "it has") -> str:
    """Return a fix for an unknown `name`: the nearest of `known` if one is near, then (up to 20 of) what there is."""
    names = sorted(set(known))
    folded = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), list(folded), n=2, cutoff=0.6)
    parts = []
    if near:
        parts.append("did you mean " + " or ".join(f"'{folded[match]}'" for match in near) + "?")
    if names:
        rest = f" and {len(names) - 20} more" if len(names) > 20 else ""
        parts.append(f"{label}: {', '.join(names[:20])}{rest}")
    return " ".join(parts) if parts else "there are none"
