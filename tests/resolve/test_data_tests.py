"""The SQL of generic data tests: what it finds in rows (SQLite knows its words), and how values are quoted."""

from __future__ import annotations

import datetime
import sqlite3

import pytest

from sqlml.errors import ResolveError
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import DataTest
from sqlml.resolve.data_tests import literal, name_test, write_test
from sqlml.resolve.index import quoted


def declare(kind, column="c", name=None, where=None, **arguments):
    return DataTest(kind, SourceLocation("a.yml", 1), column=column, name=name, where=where, arguments=arguments)


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table child (c, `a.b`, d)")
    rows = [("a", 1, 1), ("a", 2, 2), ("b", 2, 3), (None, None, 4), (None, 3, 5), ("z", 4, 6)]
    connection.executemany("insert into child values (?, ?, ?)", rows)
    connection.execute("create table parent (`k``k`)")
    connection.executemany("insert into parent values (?)", [("a",), ("b",), (None,)])
    yield connection
    connection.close()


def failures(database, test):
    return database.execute(write_test(test, "`child`", "`parent`")).fetchall()


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (declare("not_null"), [(None, None, 4), (None, 3, 5)]),
        (declare("not_null", where="d > 4 -- late"), [(None, 3, 5)]),
        (declare("not_null", column="a.b"), [(None, None, 4)]),
        (declare("unique"), [("a", 2)]),
        (declare("unique", column="a.b"), [(2, 2)]),
        (declare("unique", where="d <> 2"), []),
        (declare("accepted_values", values=["a", "b", None]), [("z", 1)]),
        (declare("accepted_values", values=["a", "b"], where="c <> 'z' or d is null"), []),
        (declare("accepted_values", column="d", values=[1, 2, 3]), [(4, 1), (5, 1), (6, 1)]),
        (declare("relationships", to="ref('parent')", field="k`k"), [("z",)]),
        (declare("relationships", to="ref('parent')", field="k`k", where="d < 6"), []),
    ],
)
def test_failures_are_found(database, test, expected):
    assert failures(database, test) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        ("it's", r"'it\'s'"),
        ("back\\slash", r"'back\\slash'"),
        ("\\'; drop table x --", r"'\\\'; drop table x --'"),
        (True, "true"),
        (3, "3"),
        (-0.5, "-0.5"),
        (datetime.date(2013, 12, 25), "date '2013-12-25'"),
        (datetime.datetime(2013, 12, 25, 5), "timestamp '2013-12-25 05:00:00'"),
    ],
)
def test_values_are_quoted_for_spark(value, text):
    assert literal(value) == text


def test_values_beside_text_are_text():
    sql = write_test(declare("accepted_values", values=["a", 1, True, None]), "`x`", None)
    assert "not in ('a', '1', 'true')" in sql


@pytest.mark.parametrize("value", [float("inf"), None, [1], {"a": 1}])
def test_what_has_no_literal_is_refused(value):
    with pytest.raises(ResolveError):
        literal(value)


def test_an_identifier_is_one_identifier():
    assert quoted("a.b`c") == "`a.b``c`"


@pytest.mark.parametrize(
    ("test", "owner", "name"),
    [
        (declare("not_null", "flight_id"), "flights", "not_null_flights_flight_id"),
        (declare("unique", "id"), "raw.flights", "source_unique_raw_flights_id"),
        (declare("accepted_values", "s", values=["a b", 1]), "o", "accepted_values_o_s__a_b__1"),
        (declare("relationships", "c", to="ref('p')", field="id"), "o", "relationships_o_c__id__ref_p_"),
        (declare("unique", "id", name="mine"), "flights", "mine"),
    ],
)
def test_names_are_dbts(test, owner, name):
    assert name_test(test, owner) == name


def test_a_long_name_stays_short_and_unlike_others():
    names = {name_test(declare("accepted_values", values=[*range(200), last]), "o") for last in (1, 2)}
    assert len(names) == 2
    assert all(len(name) <= 150 for name in names)
