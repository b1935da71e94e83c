"""The verdicts of `honest_and_leaky.sql` are true: what became known later moves leaky features, and no honest one."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from honest_and_leaky import read_pairs

from sqlml.ir.dag import SqlNode
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.long]

START = datetime(2024, 1, 1)
MOMENTS = [START + timedelta(days=day, hours=11, minutes=30) for day in (3, 5, 7)]
COLUMNS = (
    "id int, tail string, carrier string, word string, miles int, booked timestamp, dep timestamp, delay int, "
    "landed timestamp, status string"
)


Row = dict[str, Any]


def flights() -> list[Row]:
    """Return flights of nine days. What is known of one at `landed` may be known before it leaves, or never."""
    pick = random.Random(7)
    rows = []
    for number in range(240):
        dep = START + timedelta(minutes=50 * number + pick.randrange(40))
        rows.append(
            {
                "id": number, "tail": f"N{pick.randrange(4)}", "carrier": pick.choice("AB"), "word": "early",
                "miles": pick.randrange(100, 900), "booked": dep - timedelta(hours=pick.randrange(1, 40)), "dep": dep,
                **outcome(pick, dep - timedelta(hours=3)),
            }
        )  # fmt: skip
    return rows


def outcome(pick: random.Random, not_before: datetime) -> Row:
    return {
        "delay": None if pick.random() < 0.1 else pick.randrange(-5, 60),
        "status": pick.choice(["early", "late", "lost"]),
        "landed": None if pick.random() < 0.15 else not_before + timedelta(minutes=pick.randrange(1, 900)),
    }


def changed(rows: list[Row], moment: datetime) -> list[Row]:
    """Return another world that nobody could have told from the first one before `moment`."""
    pick = random.Random(8)
    found = []
    for row in rows:
        is_known = row["landed"] is not None and row["landed"] < moment
        new = {} if is_known else outcome(pick, max(moment, row["dep"] - timedelta(hours=3)))
        found.append({**row, **new})
    return found


# For queries over few rows it takes longer to write Java for them than to run them.
QUICK = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
}


@pytest.fixture(scope="module")
def worlds(spark):
    """The world as it was, and one that differs after each of MOMENTS."""
    before = {name: spark.conf.get(name) for name in QUICK}
    for name, value in QUICK.items():
        spark.conf.set(name, value)
    rows = flights()
    every = [rows, *[changed(rows, moment) for moment in MOMENTS]]
    yield [spark.createDataFrame(world, COLUMNS).coalesce(1).cache() for world in every]
    for view in spark.catalog.listTables():
        spark.catalog.dropTempView(view.name)
    spark.catalog.clearCache()
    for name, value in before.items():
        spark.conf.set(name, value)


def features(spark, dag, world, event_time):
    """Return the feature of each row, with the moment at which it is asked for."""
    world.createOrReplaceTempView("source__raw__flights")
    for node in dag.nodes.values():
        if isinstance(node, SqlNode):
            spark.sql(node.sql.text).createOrReplaceTempView(node.relation)
    rows = spark.sql(f"select id, x, {event_time} as moment from dev__f where {event_time} is not null").collect()
    return sorted((row.moment, row.id, repr(row.x)) for row in rows)


def moves(spark, dag, worlds, event_time, first):
    """Return whether a feature at one of MOMENTS depends on what became known later."""
    for world, moment in zip(worlds[1:], MOMENTS, strict=True):
        other = features(spark, dag, world, event_time)
        if [row for row in first if row[0] <= moment] != [row for row in other if row[0] <= moment]:
            return True
    return False


@pytest.mark.parametrize("pair", read_pairs(), ids=lambda pair: pair.name)
def test_pair(spark, worlds, workshop, pair):
    moved = {}
    for name, side in (("honest", pair.honest), ("leaky", pair.leaky)):
        workshop.write(side.project())
        dag = resolve_project(parse_project(ParseRequest(workshop.root)))
        first = features(spark, dag, worlds[0], side.event_time)
        assert {row[2] for row in first} - {"None"}
        moved[name] = moves(spark, dag, worlds, side.event_time, first)
    assert moved == {"honest": False, "leaky": True}
