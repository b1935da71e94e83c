"""What is wrong in a statement: what is said of it, where in the text, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.compile.spans import Span


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that Spark would refuse, or, with a `code`, a doubt.

    Attributes:
        what: follows whose SQL it is, as in "compares 'day' (date) with 'is_ok' (boolean)".
        span: offsets in the text, the end excluded.
        code: of a warning; empty for an error.
    """

    what: str
    span: Span
    fix: str | None = None
    code: str = ""
