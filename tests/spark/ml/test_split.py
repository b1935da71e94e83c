"""Which rows are held out."""

from __future__ import annotations

import math

import pytest

from sqlml.ir.project import Split
from sqlml.run.ml.split import odd_share, split_rows


def sides(rows, ml_model):
    """Return id -> side."""
    rule = split_rows(rows, ml_model)
    return {row.id: row.side for row in rows.selectExpr("id", f"{rule.side} as side").collect()}, rule


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_a_hash_holds_out_its_share(rows_of, spec, share):
    found, _ = sides(rows_of(4000), spec(split=Split(by="hash", holdout=share)))
    held = sum(side == "holdout" for side in found.values())
    assert abs(held - 4000 * share) < 3 * math.sqrt(4000 * share * (1 - share))
    assert set(found.values()) == {"training", "holdout"}


def test_a_share_that_is_far_off_is_said():
    facts = {"by": "hash", "columns": ["carrier"], "holdout": 0.2}
    assert odd_share(facts, {"training": 800, "holdout": 200}) is None
    assert odd_share(facts, {"training": 760, "holdout": 240}) == (
        "240 of 1000 rows are held out, where holdout is 0.2: rows of one (carrier) stay together"
    )
    assert odd_share({**facts, "within": "user"}, {"training": 999, "holdout": 1}) is None
    assert odd_share({"by": "none"}, {"training": 9, "holdout": 0}) is None


def test_a_hash_is_stable_and_follows_its_formula(rows_of, spec):
    rows = rows_of(500)
    found, _ = sides(rows, spec())
    assert sides(rows.repartition(7, "colour").sort("n"), spec())[0] == found
    expected = rows.where("pmod(xxhash64(id, 42), 10000) < 2000").collect()
    assert {row.id for row in expected} == {row_id for row_id, side in found.items() if side == "holdout"}
    assert sides(rows, spec(split=Split(by="hash", seed=7)))[0] != found


def test_rows_with_the_same_hashed_columns_stay_together_nulls_too(rows_of, spec):
    rows = rows_of(500)
    found, _ = sides(rows, spec(split=Split(by="hash", columns=("colour",), holdout=0.5)))
    of_colour = {}
    for row in rows.collect():
        of_colour.setdefault(row.colour, set()).add(found[row.id])
    assert None in of_colour
    assert all(len(each) == 1 for each in of_colour.values())


def test_without_keys_the_whole_row_is_hashed(rows_of, spec):
    _, rule = sides(rows_of(50), spec(keys=()))
    assert rule.facts["columns"] == rows_of(1).columns


def test_by_time_the_last_rows_are_held_out(rows_of, spec):
    found, rule = sides(rows_of(500), spec(event_time="at"))
    assert {row_id for row_id, side in found.items() if side == "holdout"} == set(range(400, 500))
    assert rule.facts["holdout_from"] == "2024-01-17 16:00:00.000000"


def test_equal_times_stay_together_and_the_gap_and_null_times_are_left_out(rows_of, spec):
    rows = rows_of(500).selectExpr("id", "if(id % 10 = 3, null, date_trunc('day', at)) as at")
    found, _ = sides(rows, spec(split=Split(by="time", columns=("at",), gap_s=86_400)))
    days = {}
    for row in rows.collect():
        assert (row.at is None) <= (found[row.id] is None)
        if row.at is not None:
            days.setdefault(row.at, set()).add(found[row.id])
    assert all(len(each) == 1 for each in days.values())
    in_order = [next(iter(days[day])) for day in sorted(days)]
    assert in_order == sorted(in_order, key=["training", None, "holdout"].index)
    assert in_order.count(None) == 1
    held = sum(side == "holdout" for side in found.values())
    assert 0 < held <= 0.2 * 450


def test_a_given_cut_is_the_first_instant_held_out(rows_of, spec):
    split = Split(by="time", columns=("at",), holdout_from="2024-01-02", gap_s=7200)
    found, _ = sides(rows_of(48), spec(split=split))
    assert [row_id for row_id, side in found.items() if side == "holdout"] == list(range(24, 48))
    assert [row_id for row_id, side in found.items() if side is None] == [22, 23]


def test_by_column(rows_of, spec):
    rows = rows_of(300)
    found, _ = sides(rows, spec(split=Split(by="column", columns=("grade",), holdout_values=("top",))))
    for row in rows.collect():
        assert found[row.id] == ("holdout" if row.grade == "top" else "training")
    split = Split(by="column", columns=("n",), holdout_values=(1, None), train_values=(2, 3))
    found, _ = sides(rows, spec(split=split))
    for row in rows.collect():
        assert found[row.id] == {1: "holdout", 2: "training", 3: "training"}.get(row.n)


def test_a_share_of_each_group_is_held_out(spark, spec):
    """Of 1, 4, 5 and 11 rows in a group at most a fifth, the greatest hashes or the last times; ties stay together."""
    rows = spark.sql(
        "select *, n * 100 + i as id, timestamp '2024-01-01' + make_dt_interval(if(n = 11, 0, i)) as at "
        "from (select explode(array(1, 4, 5, 11)) as n) lateral view explode(sequence(1, n)) as i"
    )
    by_hash, rule = sides(rows, spec(split=Split(by="hash", within="n")))
    held = [row_id // 100 for row_id, side in by_hash.items() if side == "holdout"]
    assert sorted(held) == [5, 11, 11]
    assert set(by_hash.values()) == {"training", "holdout"}
    assert rule.facts["within"] == "n"
    buckets = rows.selectExpr("id", "n", "pmod(xxhash64(id, 42), 4503599627370496) as bucket").collect()
    for n in (5, 11):
        ordered = sorted((row.bucket, row.id) for row in buckets if row.n == n)
        assert {row_id for _, row_id in ordered[-(n // 5) :]} == {
            row_id for row_id, side in by_hash.items() if side == "holdout" and row_id // 100 == n
        }
    by_time, _ = sides(rows, spec(split=Split(by="time", columns=("at",), within="n")))
    assert [row_id for row_id, side in by_time.items() if side == "holdout"] == [505]
