"""What can go wrong in a template: the exception in, sqlml's error with file, line and fix out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType

from jinja2 import Environment
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import SourceLocation, locate_line
from sqlml.templating.direct import DirectTemplate
from sqlml.templating.environment import MacroRefusal, PlacedTemplate, UndefinedName, real_line

TEMPLATE_FAULTS = (
    SqlmlError,
    TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a template can raise: whatever Python's operators and methods do, and Python's own reading of the code."""

SHIPPED = "shipped"
"""Name of the templates that come with sqlml, whose lines are of no use to a user."""


NO_FILE = "<template>"
"""Jinja's file name of what is not in a file, such as an expression of a YAML value."""


def explain(
    error: BaseException, start: SourceLocation, known: Iterable[str], environment: Environment, text: str = ""
) -> SqlmlError:
    """Return `error` as one of sqlml's, at the innermost of the user's lines that it came from.

    Args:
        error: one of `TEMPLATE_FAULTS`.
        start: the place when nothing nearer is known.
        known: names that a template can use.
        environment: whose filters and tests can be named.
        text: of the template, for what is found before it is rendered.
    """
    places = list(_places(_traceback_frames(error.__traceback__)))
    if isinstance(error, SqlmlError):
        if error.location is None:
            error.location = _call_place(places, start, isinstance(error, MacroRefusal))
        return error
    if isinstance(error, TemplateSyntaxError):
        return _explain_syntax(error, start, environment, text)
    if isinstance(error, UndefinedName):
        return _explain_undefined(error, places, start, known)
    place, origin = _innermost(places, start)
    what, fix = _say(error)
    return ParseError(f"{what}{origin}", place, fix)


def place_of_call() -> SourceLocation | None:
    """Return the innermost of the user's template lines that is being rendered now; None outside of rendering."""
    frame = inspect.currentframe()
    while frame is not None:
        for is_shipped, place in _places([(frame, frame.f_lineno)]):
            if not is_shipped:
                return place
        frame = frame.f_back
    return None


def _traceback_frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _places(frames: Iterable[tuple[FrameType, int]]) -> Iterator[tuple[bool, SourceLocation]]:
    """Yield for each frame of a template, outermost first, whether it is a shipped one, and its place."""
    for frame, python_line in frames:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, PlacedTemplate):
            yield template.name == SHIPPED, template.locate(template.get_corresponding_lineno(python_line))
        elif (place := DirectTemplate.place_of(frame)) is not None:
            yield False, place


def _innermost(places: list[tuple[bool, SourceLocation]], start: SourceLocation) -> tuple[SourceLocation, str]:
    """Return the innermost place of the user's, and where that macro was called from, as words."""
    own = [place for is_shipped, place in places if not is_shipped]
    if not own:
        return start, ""
    return own[-1], "" if own[-1].path == own[0].path else f" (called from {own[0]})"


def _call_place(places: list[tuple[bool, SourceLocation]], start: SourceLocation, is_refusal: bool) -> SourceLocation:
    if is_refusal and places:
        return places[0][1]
    return _innermost(places, start)[0]


def _explain_syntax(
    error: TemplateSyntaxError, start: SourceLocation, environment: Environment, text: str
) -> ParseError:
    is_file = error.filename not in (None, NO_FILE)
    place = locate_line(str(error.filename), text, real_line(error.lineno) or 1) if is_file else start
    message = (error.message or "cannot be read").strip().rstrip(".")
    missing = re.fullmatch(r"No (filter|test) named '(.*)'", message)
    if missing:
        kind, name = missing.groups()
        names = environment.filters if kind == "filter" else environment.tests
        return ParseError(f"Jinja has no {kind} '{name}'", place, _near(name, names))
    tag = re.match(r"Encountered unknown tag '(\w+)'", message)
    unclosed = re.search(r"The innermost block that needs to be closed is '(\w+)'", message)
    if tag and not tag[1].startswith(("end", "el")):
        fix = "a tag is one of: if, for, set, macro, call, filter, do, raw"
        return ParseError(f"Jinja tag '{tag[1]}' is not known here", place, fix)
    if unclosed:
        what = f"Jinja block '{unclosed[1]}' is " + (f"not closed before '{tag[1]}'" if tag else "never closed")
        return ParseError(what, place, f"close it with {{% end{unclosed[1]} %}}")
    if tag:
        return ParseError(f"Jinja tag '{tag[1]}' closes nothing", place, "take it out, or write what it closes")
    if message.startswith("tag '"):
        what, _, fix = message.partition(": ")
        return ParseError(f"Jinja {what}", place, fix)
    return ParseError(f"Jinja cannot read this: {message}", place, "see the braces, quotes and parentheses there")


def _near(name: str, names: Iterable[str]) -> str:
    # The whole list of Jinja's filters helps nobody.
    nearest = suggest(name, names).partition("? ")
    return f"{nearest[0]}?" if nearest[1] else "see Jinja's documentation for what there is"


def _explain_undefined(
    error: UndefinedName, places: list[tuple[bool, SourceLocation]], start: SourceLocation, known: Iterable[str]
) -> ParseError:
    if error.kind == "argument":
        # The caller left it out: the line to change is the call's.
        place, origin = _innermost(places[:-1] or places, start)
        return ParseError(f"macro argument missing: {error.message}{origin}", place, "give it in the call")
    place, origin = _innermost(places, start)
    if error.kind == "attribute":
        message = str(error.message).replace("'dict object'", "a mapping")
        return ParseError(f"{message}{origin}", place, suggest(error.name, error.siblings) if error.siblings else None)
    fix = suggest(error.name, known, "a template knows")
    if error.kind == "name" and "did you mean" not in fix:
        fix = f"if it is text, put it in quotes: '{error.name}'; {fix}"
    return ParseError(f"'{error.name}' is not defined{origin}", place, fix)


def _say(error: BaseException) -> tuple[str, str | None]:
    """Return what an exception of Python's or Jinja's own says to a user, and the fix if one is known."""
    message = str(getattr(error, "message", None) or error).rstrip(".")
    if isinstance(error, SecurityError):
        return f"not allowed in a template: {message}", "a template may read values, and call macros and functions"
    if isinstance(error, RecursionError):
        return "the template never ends: a macro calls itself, or it is nested too deeply", "let the macro end by an if"
    if isinstance(error, ZeroDivisionError):
        return "the template divides by zero", "test the divisor by an if"
    if isinstance(error, SyntaxError):
        return f"Jinja cannot read this: {error.msg}", "correct what stands between the braces"
    call = re.match(r"(?:[\w.<>]*\.)?(\w+\(\)|macro '\w+') (.*)", message)
    if isinstance(error, TypeError) and call:
        fix = "give it in the call" if call[2].startswith("missing") else "take it out of the call"
        return f"{call[1]} {call[2]}", fix
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower()
    return f"the template fails: {message or words}", "correct what stands between the braces"
