"""Turns what Spark and py4j raise into errors of ours: the root cause in one line, the place in the user's SQL."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlml.errors import DataError, EngineStopped, SqlmlError, StepError
from sqlml.ir.dag import Rendered
from sqlml.ir.location import SourceLocation

# `[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column … SQLSTATE: 42703; line 3 pos 2;` and the plan that Spark appends.
_CONDITION = re.compile(r"^\[[A-Z0-9_.]+\]\s*")
_TAIL = re.compile(r"\s*(SQLSTATE: \w+.*|; line \d+ pos \d+.*|== SQL.*)$", re.DOTALL)
_UNREADABLE = re.compile(r"\[FAILED_READ_FILE[\w.]*\].*? file (\S+?)\.?\s+(?:SQLSTATE|$)", re.DOTALL)
# As in `Job 5 cancelled part of cancelled job group …`.
_CANCELLED = " cancelled "
# The pinned session has ANSI mode on.
_ADVICE = re.compile(r"\s*If necessary set \"spark\.sql\.ansi\.enabled\".*$")
_JAVA_CLASS = re.compile(r"^(?:Caused by: )?(?:[a-z_$][\w$]*\.)+[A-Z][\w$.]*(?:Exception|Error)?: ")


@dataclass(frozen=True, slots=True)
class Doing:
    """What was being done when Spark failed.

    Attributes:
        what: begins the sentence (`sql model 'x' failed`).
        location: the place if the failure names none.
        sql: the SQL that ran, to find the place in it.
        log_file: takes Spark's whole account of the failure.
        compiled: file of the SQL below `target/compiled`; empty for that of `sql`.
        explain: says more of a data file that could not be read, if it can.
    """

    what: str
    location: SourceLocation | None = None
    sql: Rendered | None = None
    log_file: Path | None = None
    compiled: str = ""
    explain: Callable[[Path], DataError | None] = lambda file: None

    @property
    def fix(self) -> str | None:
        """Where to look further."""
        path = self.compiled or (self.sql.path if self.sql else "")
        compiled = f"the compiled SQL is target/compiled/{path}; " if path else ""
        return f"{compiled}the full log is {self.log_file}" if self.log_file else None


@contextmanager
def spark_failures(doing: Doing) -> Iterator[None]:
    """Raise what Spark raises inside the block as an error of ours.

    Raises:
        DataError: a data file is not what was declared.
        StepError: Spark or its JVM failed.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        _log(error, doing)
        raise _error_of(error, doing) from error
    except (ConnectionError, EOFError) as error:
        raise EngineStopped(f"{doing.what}: Spark's Java process has stopped", doing.location, doing.fix) from error


def _log(error: BaseException, doing: Doing) -> None:
    """Append the Python and Java stacks of `error` to the log, which hold what one line cannot."""
    if doing.log_file is None:
        return
    stack = "".join(traceback.format_exception(error))
    java = getattr(error, "_stackTrace", None) or ""
    with doing.log_file.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} ERROR {doing.what}\n{stack}{java}\n")


def _error_of(error: BaseException, doing: Doing) -> SqlmlError:
    cause = _root_cause(error)
    if (file := _unreadable_file(_messages(error))) is not None:
        return doing.explain(file) or _file_error(file, cause, doing)
    kind = EngineStopped if _CANCELLED in f" {cause}" else StepError
    return kind(f"{doing.what}: {cause}", _place(error, doing), doing.fix)


def _unreadable_file(messages: Iterable[str]) -> Path | None:
    """Return the data file that Spark could not read, if that is what went wrong."""
    found = next((match for text in messages if (match := _UNREADABLE.search(text))), None)
    return Path(unquote(urlsplit(found[1]).path)) if found else None


def _file_error(file: Path, cause: str, doing: Doing) -> DataError:
    return DataError(f"{doing.what}: '{file}' cannot be read: {cause}", doing.location, doing.fix)


def _messages(error: BaseException) -> Iterator[str]:
    """Yield the messages of an error of pyspark or py4j and of its causes, outermost first."""
    link: Any = getattr(error, "java_exception", None)
    while link is not None:
        yield str(link.getMessage() or link.toString())
        link = link.getCause()
    link = error
    while link is not None:
        yield str(getattr(link, "desc", None) or getattr(link, "_desc", None) or link)
        link = getattr(link, "_cause", None)


def _root_cause(error: BaseException) -> str:
    """Return the message of the innermost cause that has one, on one line."""
    said = [line for text in _messages(error) if (line := one_line(text))]
    if getattr(error, "java_exception", None) is not None:
        # The last is py4j's own, which tells of all causes at once.
        said = said[:-1] or said
    return said[-1] if said else type(error).__name__


def one_line(text: str) -> str:
    """Return the first telling line of a Java message, without its class, condition and SQL state."""
    first = next((line for line in text.strip().splitlines() if line.strip()), "")
    return _ADVICE.sub("", _TAIL.sub("", _CONDITION.sub("", _JAVA_CLASS.sub("", first.strip())))).strip()


def _place(error: BaseException, doing: Doing) -> SourceLocation | None:
    if doing.sql is None:
        return doing.location
    contexts: Sequence[Any] = getattr(error, "getQueryContext", list)()
    for context in contexts or ():
        start = context.startIndex()
        # A context of a view inside the query has its own text: its offsets are not ours.
        if 0 <= start < len(doing.sql.text) and not context.objectName():
            stop = context.stopIndex() + 1
            return doing.sql.locate(start, stop if stop > start else None)
    return doing.location
