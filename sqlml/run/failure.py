"""Turns what Spark and py4j raise into a StepError: the root cause in one line, the place in the user's SQL."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlml.errors import StepError
from sqlml.ir.dag import Rendered
from sqlml.ir.location import SourceLocation

# `[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column … SQLSTATE: 42703; line 3 pos 2;` and the plan that Spark appends.
_CONDITION = re.compile(r"^\[[A-Z0-9_.]+\]\s*")
_TAIL = re.compile(r"\s*(SQLSTATE: \w+.*|; line \d+ pos \d+.*|== SQL.*)$", re.DOTALL)
_JAVA_CLASS = re.compile(r"^(?:Caused by: )?(?:[a-z_$][\w$]*\.)+[A-Z][\w$.]*(?:Exception|Error)?: ")


@dataclass(frozen=True, slots=True)
class Doing:
    """What was being done when Spark failed.

    Attributes:
        what: begins the sentence (`sql model 'x' failed`).
        location: the place if the failure names none.
        sql: the SQL that ran, to find the place in it.
        log_file: takes Spark's whole account of the failure.
    """

    what: str
    location: SourceLocation | None = None
    sql: Rendered | None = None
    log_file: Path | None = None

    @property
    def fix(self) -> str | None:
        """Where to look further."""
        compiled = f"the compiled SQL is target/compiled/{self.sql.path}; " if self.sql else ""
        return f"{compiled}the full log is {self.log_file}" if self.log_file else None


@contextmanager
def spark_failures(doing: Doing) -> Iterator[None]:
    """Raise what Spark raises inside the block as a StepError.

    Raises:
        StepError: Spark or its JVM failed.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        _log(error, doing)
        raise StepError(f"{doing.what}: {_root_cause(error)}", _place(error, doing), doing.fix) from error
    except Py4JError as error:
        _log(error, doing)
        raise StepError(f"{doing.what}: {_java_cause(error)}", doing.location, doing.fix) from error
    except (ConnectionError, EOFError) as error:
        raise StepError(f"{doing.what}: Spark's Java process has stopped", doing.location, doing.fix) from error


def _log(error: BaseException, doing: Doing) -> None:
    """Append the Python and Java stacks of `error` to the log, which hold what one line cannot."""
    if doing.log_file is None:
        return
    stack = "".join(traceback.format_exception(error))
    java = getattr(error, "_stackTrace", None) or ""
    with doing.log_file.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} ERROR {doing.what}\n{stack}{java}\n")


def _root_cause(error: BaseException) -> str:
    """Return the message of the innermost cause that has one, on one line."""
    innermost = error
    while (cause := getattr(innermost, "cause", None)) is not None and _message(cause):
        innermost = cause
    return _message(innermost) or type(error).__name__


def _message(error: BaseException) -> str:
    text = str(getattr(error, "desc", None) or getattr(error, "_desc", None) or error)
    return one_line(text)


def _java_cause(error: BaseException) -> str:
    java = getattr(error, "java_exception", None)
    if java is None:
        return one_line(str(error)) or "Spark's Java process has stopped"
    while java.getCause() is not None:
        java = java.getCause()
    return one_line(str(java.getMessage() or java.toString()))


def one_line(text: str) -> str:
    """Return the first telling line of a Java message, without its class, condition and SQL state."""
    first = next((line for line in text.strip().splitlines() if line.strip()), "")
    return _TAIL.sub("", _CONDITION.sub("", _JAVA_CLASS.sub("", first.strip()))).strip()


def _place(error: BaseException, doing: Doing) -> SourceLocation | None:
    if doing.sql is None:
        return doing.location
    contexts: Sequence[Any] = getattr(error, "getQueryContext", list)()
    for context in contexts or ():
        start = context.startIndex()
        # A context of a view inside the query has its own text: its offsets are not ours.
        if 0 <= start < len(doing.sql.text) and not context.objectName():
            return doing.sql.locate(start)
    return doing.location
