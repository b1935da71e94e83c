"""A corpus of feature SQL that Spark accepts: no false error in it, and misspelt names found at their exact places."""

import random
from pathlib import Path

import pytest
from sqlglot import exp

from sqlml.compile.readable import Readable
from sqlml.compile.scopes import analyze
from sqlml.compile.sql import parse_statement
from sqlml.errors import SqlmlError
from sqlml.ir.location import SourceLocation

TABLES = {
    "ev": (
        "user_id ts day amount qty price channel tags payload clicks attrs addr is_ok small tny f tn bin dec2 items"
    ),
    "usr": ("user_id name born country score signup email"),
    "wide": ("id jan feb mar"),
}
READABLE = {name: Readable(f"sql_model.{name}", name, tuple(columns.split())) for name, columns in TABLES.items()}
TEXT = (Path(__file__).parent / "feature_queries.sql").read_text(encoding="utf-8")
QUERIES = TEXT.partition("\n")[2].strip().split("\n---\n")


def read(sql):
    """Return the statement and its analysis; places are offsets."""
    statement = parse_statement(sql, "sql", lambda start, end=None: SourceLocation("", start))
    return statement, analyze(statement, READABLE, "sql", lambda start, end=None: SourceLocation("", start))


@pytest.mark.parametrize("sql", QUERIES)
def test_no_false_error(sql):
    assert read(sql)[1].errors == ()


def test_misspelt_columns_are_found_at_their_places():
    dice = random.Random(7)
    found, missed = 0, []
    for sql in QUERIES:
        columns = [column.this for column in read(sql)[0].tree.find_all(exp.Column)]
        names = [name for name in columns if isinstance(name, exp.Identifier) and "start" in name.meta]
        for name in dice.sample(names, min(4, len(names))):
            end = name.meta["end"] + 1
            try:
                errors = read(f"{sql[:end]}_zz{sql[end:]}")[1].errors
            except SqlmlError:
                continue
            if name.meta["start"] in [error.location.line for error in errors]:
                found += 1
            else:
                missed.append((name.name, sql))
    # What is missed are fields of structs and what pivots and generators make.
    assert found / (found + len(missed)) > 0.93, missed
