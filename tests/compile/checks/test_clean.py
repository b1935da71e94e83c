"""No false error in SQL that Spark takes: the corpora of the types, and Spark's own function examples."""

from __future__ import annotations

import pytest
from checks_corpus import CLEAN, all_errors, problems, rows_of

from sqlml.compile.checks.spark_table import spark_table
from sqlml.errors import CompileError

# What sqlglot cannot read, and nobody writes.
NOT_READ = {
    "select between(3, '2020-01-01', NULL) as x from combined",
    "select in(NULL, 3) as x from combined",
    "values (1, 'a'), (2, 'b')",
    "values (1, 'a', 2.5), (2, 'b', null)",
    "table raw_stores",
}


@pytest.mark.parametrize("name", CLEAN)
def test_no_false_error(name, say):
    # The names of Spark's own examples are nobody's columns.
    check = problems if name.startswith("function_examples") else all_errors
    rows, false, unread = rows_of(name), [], []
    for row in rows:
        try:
            false += [(row["sql"], found) for found in check(row["sql"])]
        except CompileError as error:
            unread.append((row["sql"], error.what))
    say(f"checks of {name}: {len(rows)} clean queries, {len(false)} false errors, {len(unread)} not read")
    assert false == []
    assert {sql for sql, _ in unread} <= NOT_READ


def test_the_table_knows_what_the_types_know():
    names = spark_table().functions
    assert len(names) > 580
    assert (names["upper"].counts, names["coalesce"].is_open, names["lag"].kind) == ((1,), True, "window")
    assert {
        name for name in ("sum", "max_by", "percentile_cont", "vector_sum") if names[name].kind != "aggregate"
    } == set()
