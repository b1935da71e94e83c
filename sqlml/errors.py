"""Every error a user can meet: what is wrong, where in the user's files, how to fix it; and the text it is shown as."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from sqlml.ir.location import SourceLocation


class SqlmlError(Exception):
    """An error with its place and its fix.

    Args:
        what: one sentence, names in single quotes.
        location: the user's file and line, if there is one.
        fix: what to do, if it is known.

    Attributes:
        code: of a diagnostic that a project may set to another level; empty for all other errors.
    """

    exit_code = 2
    code = ""

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


def format_error(error: SqlmlError, severity: str = "error") -> str:
    """Return `error` as the text a user reads; the errors of an `ErrorList` are divided by an empty line."""
    if isinstance(error, ErrorList):
        return "\n\n".join(format_error(single, severity) for single in error.errors)
    lines = [f"{severity}[{error.code}]: {error.what}" if error.code else f"{severity}: {error.what}"]
    if error.location is not None:
        lines.append(f"  --> {error.location}")
    if error.fix:
        lines.append(f"  fix: {error.fix}")
    return "\n".join(lines)


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
