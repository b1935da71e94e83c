"""The corpora of the checks: queries that Spark refuses, with what is wrong marked, and clean ones."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from sqlml.compile.checks.checker import check_statement
from sqlml.compile.checks.problem import Problem
from sqlml.compile.readable import Readable
from sqlml.compile.scopes import analyze
from sqlml.compile.spans import Spans
from sqlml.compile.sql import parse_statement
from sqlml.compile.types import parse_type
from sqlml.errors import CompileError
from sqlml.ir.location import SourceLocation

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
_T = (
    "c string, x int, d double, amount decimal(10,2), day date, ts timestamp, ok boolean, s struct<a:int,b:string>, "
    "xs array<int>, rows array<struct<k:string,n:int>>, m map<string,int>, v variant, span interval day to second"
)
OWN = {
    "t": dict(column.split(" ", 1) for column in _T.split(", ")),
    "u": {"x": "int", "name": "string", "day": "date"},
}
TABLES = {**json.loads((HERE.parent / "types" / "corpus" / "tables.json").read_text(encoding="utf-8")), **OWN}
TYPED = {name: {column: parse_type(kind) for column, kind in columns.items()} for name, columns in TABLES.items()}
READABLE = {name: Readable(name, name, tuple(columns)) for name, columns in TABLES.items()}
CLEAN = ("types_held_out_4.3.json", "types_fresh_4.3.json", "types_written_4.3.json",
         "types_tune_4.3.json", "types_features_4.3.json", "types_combinations_4.3.json",
         "function_examples_4.3.json")  # fmt: skip

MISSPELT = ("types_held_out_4.3.json", "types_tune_4.3.json", "types_features_4.3.json")


@dataclass(frozen=True)
class Refused:
    """A query that Spark refuses, what sqlml says of it, and the offsets of what it underlines."""

    said: str
    sql: str
    start: int
    end: int


def refused() -> list[Refused]:
    """Return the queries of `refused.sql`."""
    found = []
    for entry in (HERE / "refused.sql").read_text(encoding="utf-8").partition("\n")[2].split("\n---\n"):
        said, _, marked = entry.strip().partition("\n")
        start, end = marked.index("«"), marked.index("»") - 1
        found.append(Refused(said.removeprefix("-- "), marked.replace("«", "").replace("»", ""), start, end))
    return found


@functools.cache
def rows_of(name: str) -> list[dict]:
    """Return the rows of a file in tests/data."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def misspelt(name: str, number: int, start: int, word: str) -> str:
    """Return a clean query with the word at `start` replaced by one as long."""
    sql = rows_of(name)[number]["sql"]
    return f"{sql[:start]}{word}{sql[start + len(word) :]}"


def parse(sql):
    return parse_statement(sql, "sql", lambda start, end=None: SourceLocation("", start, None, None, end))


def problems(sql: str) -> tuple[Problem, ...]:
    """Return what the checks say of a query."""
    try:
        statement = parse(sql)
    except CompileError as error:
        span = (error.location.line, error.location.end_column)
        return (Problem(error.what.removeprefix("sql "), span, error.fix),)
    return check_statement(statement, Spans(statement.tokens), TYPED.get)[1]


def all_errors(sql: str) -> list[tuple[int, str]]:
    """Return all that is said of a query, names and checks, each with its offset."""
    statement = parse(sql)
    found = analyze(statement, READABLE, "sql", lambda start, end=None: SourceLocation("", start, None, None, end))
    checked = check_statement(statement, Spans(statement.tokens), TYPED.get)[1]
    return [*[(error.location.line, error.what) for error in found.errors], *[(p.span[0], p.what) for p in checked]]
