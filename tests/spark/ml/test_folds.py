"""Folds: training rows dealt out by each kind, against what a few lines of Python make of the same rows."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import pytest

from sqlml.errors import DataError, ErrorList
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.folds import Folds
from sqlml.ir.project import Split
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.fold_counts import FOLD, Counted, Fold
from sqlml.run.ml.fold_fits import FoldFits
from sqlml.run.ml.folds import Folded, deal_folds

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("interpreted")]


SIDES = ("training", "validation")


@pytest.fixture(scope="module")
def table(spark):
    """Two hundred rows at different hours, in groups of very different sizes."""
    table = spark.sql(
        "select id, int(sqrt(id)) as team, timestamp '2024-01-01' + make_dt_interval(0, id) as at, id % 2 = 0 as late "
        "from range(200)"
    ).persist()
    yield table
    table.unpersist()


@pytest.fixture
def deal(make_spec, table):
    """Return what deals the table out: fold -> ids to fit on and ids to validate on, and the facts."""

    def deal(folds, split=None, rows=table, **given):
        ml_model = make_spec(folds=folds, split=split or Split(by="none"), include=("id",), **given)
        task = Task(ml_model, ESTIMATORS["LogisticRegression"], (), "boolean", (False, True))
        with ExitStack() as stack:
            dealt = deal_folds(rows, task, stack)
            sides = [
                f"{condition} AS {side}_{fold.number}"
                for fold in dealt.folds
                for side, condition in zip(SIDES, (fold.training, fold.validation), strict=True)
            ]
            ids = dealt.rows.selectExpr("id", *sides).collect()
            found = {
                fold.number: tuple({row.id for row in ids if row[f"{side}_{fold.number}"]} for side in SIDES)
                for fold in dealt.folds
            }
            assert FOLD not in dealt.training(dealt.folds[0]).columns
        for fold, row in zip(dealt.folds, dealt.facts["rows"], strict=True):
            sizes = tuple(len(side) for side in found[fold.number])
            assert sizes == (fold.training_rows, fold.validation_rows) == (row["training"], row["validation"])
        return found, dealt.facts

    return deal


def assert_partition(found, ids=frozenset(range(200))):
    for training, validation in found.values():
        assert training == ids - validation
    assert sum(len(validation) for _, validation in found.values()) == len(ids)


def test_by_hash(deal, table):
    found, facts = deal(Folds(n=4))
    assert_partition(found)
    assert facts["by"] == "hash"
    assert facts["shared_keys"] == 0
    # The rows' order and partitions do not matter, the seed does.
    assert deal(Folds(n=4), rows=table.orderBy("team", table.id.desc()).repartition(3))[0] == found
    assert deal(Folds(n=4, seed=7))[0] != found
    # Within a team the rows of each are dealt out evenly.
    within, _ = deal(Folds(n=2, by="hash"), Split(by="hash", within="team"))
    assert_partition(within)
    teams = [Counter(int(id**0.5) for id in validation) for _, validation in within.values()]
    assert all(abs(teams[0][team] - teams[1][team]) <= 1 for team in range(15))


def test_by_group(deal):
    found, facts = deal(Folds("group", ("team",), 3))
    assert_partition(found)
    teams = {number: {int(id**0.5) for id in validation} for number, (_, validation) in found.items()}
    assert sum(len(held) for held in teams.values()) == 15
    assert max(row["validation"] for row in facts["rows"]) <= 1.15 * min(row["validation"] for row in facts["rows"])
    # As many folds as groups: each is left out once.
    assert {len(held) for held in deal(Folds("group", ("team",), 14), where=None)[0].values()} == {2}


def test_by_time(deal):
    found, facts = deal(Folds("time", n=3), event_time="at")
    assert [(len(training), len(validation)) for training, validation in found.values()] == [
        (50, 50),
        (100, 50),
        (150, 50),
    ]
    for training, validation in found.values():
        assert max(training) + 1 == min(validation)
    assert facts["from"][0] == "2024-01-03 02:00:00.000000"
    # Four hours before each fold are left out. The kind and the gap are the split's, where nothing else is said.
    gapped, facts = deal(Folds(n=3), Split(by="time", columns=("at",), gap_s=4 * 3600), event_time="at")
    assert facts["by"] == "time"
    assert [(max(training), min(validation)) for training, validation in gapped.values()] == [
        (45, 50),
        (95, 100),
        (145, 150),
    ]
    within, _ = deal(Folds(n=2), Split(by="time", columns=("at",), within="team"), event_time="at")
    training, validation = within[2]
    for team in range(3, 14):
        own = set(range(team**2, (team + 1) ** 2))
        assert max(training & own) < min(validation & own)


def test_a_class_that_a_fold_cannot_learn_is_named(spark, make_spec, table):
    kinds = table.selectExpr(
        "*", "case when id % 2 = 0 then 'a' when id < 60 then 'b' when id < 120 then 'c' else 'd' end as kind"
    )
    ml_model = make_spec(folds=Folds("time", n=3), split=Split(by="none"), event_time="at", label="kind")
    task = Task(ml_model, ESTIMATORS["LogisticRegression"], (), "string", ("a", "b", "c", "d"))
    with ExitStack() as stack:
        dealt = deal_folds(kinds, task, stack)
    assert dealt.counted.warnings == (
        "class 'c' of label 'kind' has 30 rows, and fold 1 has none of them to fit on, so that it is never predicted "
        "there: ask for fewer or other folds, or bring more rows, or leave the class out by 'where:'",
        "class 'd' of label 'kind' has 40 rows, and folds 1, 2 have none of them to fit on, so that it is never "
        "predicted there: ask for fewer or other folds, or bring more rows, or leave the class out by 'where:'",
    )


def test_a_key_in_two_folds_stops(deal, table):
    twice = table.withColumn("id", table.id % 150)
    with pytest.raises(
        DataError, match=r"50 keys are in more than one fold of ml model 'm', where rows of one key \(id\)"
    ):
        deal(Folds("time", n=3), rows=twice, event_time="at")


def test_every_wrong_fold_is_named(deal, table):
    one = table.withColumn("late", table.id >= 60)
    with pytest.raises(ErrorList) as caught:
        deal(Folds("time", n=3), rows=one, event_time="at")
    assert [error.what for error in caught.value.errors] == [
        f"fold {fold} of ml model 'm' is {done} on one class alone: label 'late' is {label} in all of its 50 rows, "
        f"{rows} to fit on and 50 to validate on"
        for fold, done, label, rows in (
            (1, "fitted", False, 50),
            (2, "validated", True, 100),
            (3, "validated", True, 150),
        )
    ]


def test_rows_that_lost_their_place_while_they_were_made_are_freed_at_the_end():
    freed = []
    with ExitStack() as stack:
        fits = FoldFits(Folded(None, Counted((Fold(1, "", ""),), (), ""), {}), stack)
        first = fits._find("first")
        for number in range(6):
            fits._find(str(number))
        assert fits._find("first") is not first
        first.stack.callback(freed.append, "first")
    assert freed == ["first"]
