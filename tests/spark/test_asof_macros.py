"""The shipped as-of macros against the same question asked naively: join every row with every event, then group."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sqlml
from sqlml.errors import SqlmlError
from sqlml.ir.project import MacroFile
from sqlml.templating.sql import Templates, render_sql

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

START = dt.datetime(2024, 3, 1, 12)
ROWS = "id int, day int, k string, k2 int, at timestamp"
EVENTS = "k string, k2 int, known_at timestamp, n int, x double, d decimal(9, 2), is_late boolean"
MACROS = Path(sqlml.__file__).parent / "macros"


@pytest.fixture(scope="module")
def templates() -> Templates:
    files = [MacroFile(path.name, path.read_text("utf-8"), shipped=True) for path in sorted(MACROS.glob("*.sql"))]
    return Templates(files, {}, {})


def render(templates: Templates, macro: str, **arguments: Any) -> str:
    return render_sql(templates, f"{{{{ {macro}(**arguments) }}}}", "model.sql", {"arguments": arguments}).text


def instant(rng: random.Random) -> dt.datetime | None:
    """A time out of few, so that ties and exact ends of windows are common."""
    return None if rng.random() < 0.1 else START + dt.timedelta(minutes=30 * rng.randrange(16))


def random_rows(rng: random.Random, n: int = 60) -> list[tuple[Any, ...]]:
    rows = [(i, i % 3, rng.choice(["a", "b", "c", None]), rng.choice([1, 2, None]), instant(rng)) for i in range(n)]
    return rows + rng.sample(rows, 10)


def random_events(rng: random.Random, n: int = 80) -> list[tuple[Any, ...]]:
    def event() -> tuple[Any, ...]:
        number = rng.choice([None, *range(-20, 20)])
        double = rng.choice([None, rng.uniform(-1, 1)])
        decimal = rng.choice([None, rng.randrange(-900, 900)])
        return (
            rng.choice(["a", "b", "d", None]),
            rng.choice([1, 2, None]),
            instant(rng),
            number,
            double,
            None if decimal is None else Decimal(decimal) / 100,
            None if number is None else number > 0,
        )

    events = [event() for _ in range(n)]
    return events + rng.sample(events, 15)


def create(spark: SparkSession, rows: list[tuple[Any, ...]], events: list[tuple[Any, ...]]) -> None:
    spark.createDataFrame(rows, ROWS).createOrReplaceTempView("asof_rows")
    spark.createDataFrame(events, EVENTS).createOrReplaceTempView("asof_events")


def collected(frame: DataFrame) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in frame.collect()), key=repr)


WINDOW: dict[str, Any] = {
    "rows": "asof_rows",
    "row_key": "id",
    "key": "k",
    "at": "at",
    "events": "asof_events",
    "known_at": "known_at",
}
CALLS = {
    "events": "count(*)",
    "numbers": "count(n)",
    "total": "sum(n)",
    "mean": "avg(n)",
    "late": "avg(cast(is_late as int))",
    "exact": "sum(d)",
    "least": "min(x)",
    "most": "max(x)",
}


def naive_window(keys: list[str], row_keys: list[str], windows: dict[str, str | None]) -> str:
    def call(text: str, span: str | None) -> str:
        known = "e.known_at < r.at" + (f" and e.known_at >= r.at - interval '{span}'" if span else "")
        return text.replace("count(*)", "count(e.k)") + f" filter (where {known})"

    outputs = [
        f"{call(text, span)} as {name}_{suffix}" for suffix, span in windows.items() for name, text in CALLS.items()
    ]
    return f"""
        select {", ".join(f"r.{key}" for key in row_keys)}, {", ".join(outputs)}
        from (select distinct * from asof_rows) as r
        left join asof_events as e on {" and ".join(f"r.{key} = e.{key}" for key in keys)}
        group by {", ".join(f"r.{key}" for key in row_keys)}"""


@pytest.mark.parametrize(("seed", "keys"), [(1, ["k"]), (2, ["k"]), (3, ["k", "k2"])])
def test_known_window_equals_the_naive_join(
    spark: SparkSession, templates: Templates, seed: int, keys: list[str]
) -> None:
    rng = random.Random(seed)
    create(spark, random_rows(rng), random_events(rng))
    windows = {"short": "30 minutes", "long": "3 hours", "ever": None}
    row_keys = ["id"] if len(keys) == 1 else ["id", "day"]
    arguments = {**WINDOW, "key": keys, "row_key": row_keys, "within": windows, "aggregates": CALLS}
    ours = spark.sql("select * from " + render(templates, "known_window", **arguments))
    naive = spark.sql(naive_window(keys, row_keys, windows))
    assert ours.columns == naive.columns
    assert collected(ours) == collected(naive)
    assert any(row.total_short is not None for row in ours.collect())


def at(minutes: int) -> dt.datetime:
    return START + dt.timedelta(minutes=minutes)


def test_known_window_is_open_at_its_end_and_closed_at_its_start(spark: SparkSession, templates: Templates) -> None:
    times = [at(0), at(1), at(59), at(60), None]
    create(
        spark,
        [(1, 0, "a", 0, at(60)), (2, 0, None, 0, at(60)), (3, 0, "a", 0, None), (4, 0, "z", 0, at(60))],
        [("a", 0, time, 10**i, None, None, None) for i, time in enumerate(times)]
        + [(None, 0, at(1), 7, None, None, None)],
    )
    arguments = {**WINDOW, "within": "59 minutes", "aggregates": {"events": "count(*)", "total": "sum(n)"}}
    found = spark.sql("select * from " + render(templates, "known_window", **arguments))
    # 60 is the row's own moment, 0 is older than the window, and an unknown time is never
    assert collected(found) == [(1, 2, 110), (2, 0, None), (3, 0, None), (4, 0, None)]


def test_a_row_that_is_an_event_does_not_count_itself(spark: SparkSession, templates: Templates) -> None:
    flights = [(i, "a", at(i), at(i + length)) for i, length in enumerate([0, 5, 0, 1])]
    spark.createDataFrame(flights, "id int, k string, at timestamp, known_at timestamp").createOrReplaceTempView("own")
    arguments = {**WINDOW, "rows": "own", "events": "own", "within": "1 hour", "aggregates": {"n": "count(*)"}}
    found = spark.sql("select * from " + render(templates, "known_window", **arguments))
    assert collected(found) == [(0, 0), (1, 1), (2, 1), (3, 2)]


def test_what_is_known_later_moves_no_bit(spark: SparkSession, templates: Templates) -> None:
    rng = random.Random(11)
    rows, events = random_rows(rng), random_events(rng)
    window = {**WINDOW, "within": "2 hours", "aggregates": CALLS}
    latest = {**WINDOW, "columns": ["n", "x"]}
    query = (
        f"select * from {render(templates, 'known_window', **window)} as w "
        f"join {render(templates, 'asof_join', **latest)} as l using (id) join asof_rows using (id)"
    )
    now = at(30 * 8)

    def features(known: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        rng.shuffle(rows)
        rng.shuffle(known)
        create(spark, rows, known)
        return collected(spark.sql(query).where(f"at <= timestamp '{now}'"))

    before = features(events)
    later = [event for event in events if event[2] is not None and event[2] > now]
    changed = [event for event in events if event not in later]
    changed += [
        (k, k2, known_at + dt.timedelta(hours=1), 999, 1e300, d, True) for k, k2, known_at, _, _, d, _ in later[1:]
    ]
    assert features(changed) == before
    assert later
    assert any(row[1] for row in before)


def test_known_window_refuses_sums_of_doubles(spark: SparkSession, templates: Templates) -> None:
    create(spark, [(1, 0, "a", 0, at(60))], [("a", 0, at(1), 1, 0.1, None, None)])
    for call in ("sum(x)", "avg(x)"):
        sql = render(templates, "known_window", **WINDOW, within="1 hour", aggregates={"v": call})
        with pytest.raises(Exception, match="sum and avg need an integer or a decimal; cast x"):
            spark.sql("select * from " + sql).collect()


@pytest.mark.parametrize(
    "call", ["n", "median(n)", "sum(n) / count(n)", "count(distinct n)", "sum(*)", "sum()", "sum(n"]
)
def test_known_window_refuses_other_calls(templates: Templates, call: str) -> None:
    with pytest.raises(SqlmlError, match="is not one count, sum, avg, min or max of one expression"):
        render(templates, "known_window", **WINDOW, within="1 hour", aggregates={"v": call})


@pytest.mark.parametrize(("seed", "within"), [(4, None), (5, "90 minutes"), (6, "30 minutes")])
def test_asof_join_equals_the_naive_join(
    spark: SparkSession, templates: Templates, seed: int, within: str | None
) -> None:
    rng = random.Random(seed)
    create(spark, random_rows(rng), random_events(rng))
    keys = ["k", "k2"] if seed == 6 else ["k"]
    arguments = {**WINDOW, "key": keys, "columns": {"n": "n", "twice": "2 * x"}, "within": within}
    ours = spark.sql("select * from " + render(templates, "asof_join", **arguments))
    recent = f"and e.known_at >= r.at - interval '{within}'" if within else ""
    naive = spark.sql(f"""
        select id, n, 2 * x as twice
        from (
            select r.id, e.n, e.x, row_number() over (
                partition by r.id order by e.known_at desc, e.n desc nulls last, e.x desc nulls last) as place
            from (select distinct * from asof_rows) as r
            left join asof_events as e
                on {" and ".join(f"r.{key} = e.{key}" for key in keys)} and e.known_at <= r.at {recent}
        )
        where place = 1""")
    assert ours.columns == naive.columns
    assert collected(ours) == collected(naive)
    assert any(row.n is not None for row in ours.collect())


def test_asof_join_takes_the_last_event_whole(spark: SparkSession, templates: Templates) -> None:
    create(
        spark,
        [
            (1, 0, "a", 0, at(0)),
            (2, 0, "a", 0, at(9)),
            (3, 0, "a", 0, at(10)),
            (4, 0, None, 0, at(9)),
            (5, 0, "a", 0, None),
        ],
        [
            ("a", 0, at(1), 1, 0.5, None, None),
            ("a", 0, at(9), 5, None, None, None),
            ("a", 0, at(9), None, 0.7, None, None),
            ("a", 0, at(10), None, 0.9, None, None),
            ("a", 0, None, 6, 0.6, None, None),
            (None, 0, at(1), 7, 0.7, None, None),
        ],
    )
    found = spark.sql("select * from " + render(templates, "asof_join", **WINDOW, columns=["n", "x"]))
    # at minute 9 two events tie, and the greater n wins with its null x; at 10 the null n is not filled from before
    assert collected(found) == [(1, None, None), (2, 5, None), (3, None, 0.9), (4, None, None), (5, None, None)]
