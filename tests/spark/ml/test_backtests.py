"""Backtests: windows of the past, each by a fit on all that lies before it, against plain Spark ML on the same rows."""

from __future__ import annotations

import json
from datetime import datetime
from types import SimpleNamespace

import pytest

from sqlml.errors import DataError, ErrorList, format_error
from sqlml.ir.folds import Backtest
from sqlml.ir.project import Split
from sqlml.ir.trials import plan_fits
from sqlml.run.ml.artifact import read_signature
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.ml_tables import ml_table_rows

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def days(spark):
    """A row for every day of 2024 until the end of June, of a level that jumps in June."""
    table = spark.sql(
        "select id, timestamp '2024-01-01 12:00:00' + make_dt_interval(cast(id as int)) as at, "
        "cast(id % 7 as double) as x, "
        "3D * (id % 7) + pmod(xxhash64(id), 100) / 100 + if(id >= 152, 50, 0) as y, id >= 100 as late from range(182)"
    ).persist()
    yield table
    table.unpersist()


def read_rows(folder):
    return [json.loads(line) for line in (folder / "tables" / "backtest.jsonl").read_text().splitlines()]


def test_each_month_is_measured_by_a_fit_on_those_before(spark, days, make_spec, tmp_path):
    from pyspark.ml.evaluation import RegressionEvaluator
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.regression import LinearRegression

    backtest = Backtest(1, "MONTH", 3, gap_s=2 * 86_400)
    spec = make_spec(
        "LinearRegression",
        label="y",
        include=("x",),
        event_time="at",
        params={"regParam": 0.1},
        split=Split(by="time", columns=("at",), holdout=0.1),
        backtest=backtest,
    )
    assert str(plan_fits(spec)) == "4 fits: 3 windows + 1"
    fit_ml_model(spark, spec, days, tmp_path / "fit")
    found = read_rows(tmp_path / "fit")
    assert read_signature(tmp_path / "fit").estimator == "LinearRegression"
    # The latest row is of June 30. Those of the last 10 % are held out from the fit, and are in the last window.
    assert [(row["window"], row["starts"][:19], (row["ends"] or "")[:19]) for row in found] == [
        (1, "2024-03-30 12:00:00", "2024-04-30 12:00:00"),
        (2, "2024-04-30 12:00:00", "2024-05-30 12:00:00"),
        (3, "2024-05-30 12:00:00", ""),
    ]
    assert [(row["training_rows"], row["rows"]) for row in found] == [(87, 31), (118, 30), (148, 32)]
    vectors = VectorAssembler(inputCols=["x"], outputCol="features").transform(days)
    for row in found:
        start = datetime.fromisoformat(row["starts"])
        before = vectors.where(f"at < timestamp '{start}' - interval 2 days")
        within = vectors.where(f"at >= timestamp '{start}' and at < timestamp '{row['ends'] or '2025-01-01'}'")
        fitted = LinearRegression(labelCol="y", regParam=0.1).fit(before)
        expected = RegressionEvaluator(labelCol="y").evaluate(fitted.transform(within))
        assert row["metrics"]["rmse"] == pytest.approx(expected, rel=1e-9)
        assert row["baseline"]["rmse"] > 0
    version = SimpleNamespace(ml_model="m", version=1, location=str(tmp_path / "fit"))
    read = ml_table_rows(spark, version, "backtest", spec.places.whole)
    first = read.selectExpr("version", "window", "string(starts)", "metrics['rmse'] as rmse").orderBy("window").first()
    assert tuple(first) == (1, 1, "2024-03-30 12:00:00", found[0]["metrics"]["rmse"])
    # What came in June nobody could have foreseen.
    assert found[2]["metrics"]["rmse"] > 20 * found[1]["metrics"]["rmse"]


def test_a_window_that_nothing_can_be_learnt_for_is_named(spark, days, make_spec, tmp_path):
    spec = make_spec(include=("x",), event_time="at", split=Split(by="hash"), backtest=Backtest(3, "WEEK", 5))
    with pytest.raises((DataError, ErrorList)) as caught:
        fit_ml_model(spark, spec, days, tmp_path / "fit")
    errors = getattr(caught.value, "errors", (caught.value,))
    assert [format_error(error).split("\n")[0] for error in errors] == [
        f"error: window {at} of ml model 'm' is fitted on one class alone: label 'late' is False in all of its "
        f"{rows} rows, {rows} to fit on and 21 to validate on"
        for at, rows in ((1, 76), (2, 97))
    ]
    assert not (tmp_path / "fit").exists()
