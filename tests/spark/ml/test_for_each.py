"""One fitted model for each value of a column: what is fitted, what is measured, and how rows find their own."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sqlml.cli.version_text import print_version
from sqlml.errors import DataError
from sqlml.ir.folds import Backtest, Folds
from sqlml.ir.location import SourceLocation
from sqlml.ir.measuring import Slice, ThresholdRule
from sqlml.ir.ml_tables import ml_table_columns
from sqlml.ir.project import ForEach, Split
from sqlml.ir.state import Fingerprint, Version
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.tuning import Dimension, Tuning
from sqlml.model import VersionInfo
from sqlml.persist.version_tables import read_tables
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.dispatch import load_parts, score_parts
from sqlml.run.ml.fit import fit_ml_model

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("interpreted")]

PLACE = SourceLocation("m.yml", 7)
PARAMS = {"maxIter": 4}
# A dot, a slash and a quote in a value must not reach a path or a statement.
REGION = "case when id % 10 < 6 then 'n/o..' when id % 10 < 9 then \"so'th\" when id % 50 = 9 then null else 'few' end"


@pytest.fixture(scope="module")
def regions(rows, spark, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("regions") / "rows")
    rows.selectExpr("*", f"{REGION} AS region").coalesce(2).write.parquet(path)
    return spark.read.parquet(path)


def for_each(spec, **words):
    given = ForEach("region", **{"min_rows": 60, **words})
    # Numbers of 0 to 9, all of which each value's training rows have.
    numbers = TransformSpec(("n",), PLACE, encode="index", unseen="error")
    return replace(
        spec,
        for_each=given,
        slices=(Slice("region", PLACE),),
        include=("x", "n", "colour"),
        transforms=(numbers,),
    )


LEARNT = {
    "params": PARAMS,
    "class_weights": "balanced",
    "split": Split(by="hash", columns=("id",), holdout=0.3, within="region"),
    "folds": Folds(n=2),
    "threshold_rule": ThresholdRule(maximize="f1"),
}
# All that is learnt or measured for each value, at once.
EVERYTHING = {
    **LEARNT,
    "event_time": "at",
    "tuning": Tuning((Dimension("regParam", "tune.params.regParam", ("params", "regParam"), (0.001, 0.3)),)),
    "backtest": Backtest(6, "DAY", 1),
    "refit": "all",
    "has_permutations": True,
}
TABLES = ("cross_validation", "coefficients", "feature_statistics")


@pytest.fixture(scope="module")
def fit(spark, regions, make_spec, tmp_path_factory):
    """Return what fits with `for_each:`, and what fits one of the values as an entry of its own."""

    def fit(given, *, is_alone=False):
        folder = tmp_path_factory.mktemp("each") / "m"
        spec = for_each(make_spec(**given, where='region = "so\'th"' if is_alone else None))
        return fit_ml_model(
            spark, replace(spec, for_each=None, slices=()) if is_alone else spec, regions, folder
        ), folder

    return fit


@pytest.fixture(scope="module")
def fitted(fit):
    return fit(LEARNT)


def read_table(folder, name):
    # Statistics are put together from groups in any order, so that their last digits may differ.
    digits = 9 if name == "feature_statistics" else 20
    lines = (folder / "tables" / f"{name}.jsonl").read_text().splitlines()
    rows = [json.loads(line, parse_float=lambda text: round(float(text), digits)) for line in lines]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def assert_as_alone(spark, together, alone, tables):
    """Compare all that was learnt and measured of one value with a fit of its rows alone."""
    result, folder = together
    expected, other_folder = alone
    part = next(part for part in load_parts(spark, folder) if part.value == "so'th")
    ours, stages = part.pipeline.stages, read_pipeline(other_folder).stages
    assert ours[-1].coefficientMatrix == stages[-1].coefficientMatrix
    assert ours[-1].interceptVector == stages[-1].interceptVector
    assert part.signature.slots == expected.signature.slots
    said = result.facts["for_each"]["values"]
    assert said["so'th"]["threshold"] == expected.facts["threshold"] != said["n/o.."]["threshold"]
    assert part.signature.threshold == expected.signature.threshold == ours[-1].getThreshold()
    assert result.signature.threshold is None
    assert said["so'th"].get("tuning") == expected.facts.get("tuning")
    for name in tables:
        rows = [row for row in read_table(folder, name) if row.pop("slice") == "region=so'th"]
        other = read_table(other_folder, name)
        for row in other:
            row.pop("slice", None)
        assert rows == other, name
        assert rows, name
    own, whole = (
        {(m.dataset, m.metric): m.value for m in one.metrics if m.slice == part_name}
        for one, part_name in ((result, "region=so'th"), (expected, ""))
    )
    assert own["holdout", "areaUnderROC"] == whole["holdout", "areaUnderROC"]
    assert own["holdout", "f1"] == whole["holdout", "f1"]


def test_each_value_is_fitted_as_an_entry_of_its_own(spark, fit, fitted):
    assert_as_alone(spark, fitted, fit(LEARNT, is_alone=True), TABLES)
    first, second = load_parts(spark, fitted[1])
    assert (first.value, second.value) == ("n/o..", "so'th")
    assert first.pipeline.stages[-1].coefficientMatrix != second.pipeline.stages[-1].coefficientMatrix
    # Spark alone reads it.
    assert sorted(path.name for path in (fitted[1] / "values").iterdir()) == ["0001-n-o-", "0002-so-th"]


@pytest.mark.long
def test_all_that_folds_and_windows_tell_is_the_values_own(spark, fit):
    tables = (*TABLES, "trials", "backtest", "permutation_importances")
    assert_as_alone(spark, fit(EVERYTHING), fit(EVERYTHING, is_alone=True), tables)


def test_the_whole_is_measured_together_and_what_was_learnt_says_of_whom(fitted):
    result, folder = fitted
    held = {m.slice: m.rows for m in result.metrics if (m.dataset, m.metric) == ("holdout", "logLoss")}
    assert set(held) == {"", "region=n/o..", "region=so'th"}
    assert held[""] == held["region=n/o.."] + held["region=so'th"]
    assert {line["slice"] for line in read_table(folder, "coefficients")} == {"region=n/o..", "region=so'th"}
    assert result.facts["for_each"]["others"] == {"values": 2, "rows": 60, "predictions": "keep"}
    assert "2 values of 'region' have no fitted model" in result.facts["warnings"][-1]
    assert set(result.facts["for_each"]["values"]["so'th"]["class_weights"]) == {"false", "true"}
    assert [column.name for column in result.signature.inputs] == ["region"]


def test_a_version_is_shown_with_what_each_value_learnt(fitted, capsys):
    result, folder = fitted
    facts = json.loads(json.dumps(result.facts))
    for own in facts["for_each"]["values"].values():
        own["tuning"] = {"params": {"regParam": "0.3"}}
    version = Version("m", 1, str(folder), Fingerprint("", ""), result.signature, result.metrics, (), facts)
    trial = dict.fromkeys(column.name for column in ml_table_columns("trials"))
    trials = tuple(
        {**trial, "slice": "region=so'th", "trial": at, "is_best": at == 1, "params": {"regParam": "0.3"}}
        for at in (1, 2)
    )
    print_version(VersionInfo(version, (), {**read_tables(version), "trials": trials}), is_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    own = facts["for_each"]["values"]["so'th"]
    header, line = (next(line for line in lines if line[:1] == [first]) for first in ("region", "so'th"))
    assert header == ["region", "training", "rows", "held", "out", "threshold", "params"]
    assert line[1:3] == [str(own["rows"]["training"]), str(own["rows"]["holdout"])]
    assert float(line[3]) == pytest.approx(own["threshold"]["learnt"], rel=1e-3)
    assert line[4:] == ["regParam:", "0.3"]
    # Trials and metrics on folds say whose they are.
    assert ["slice", "trial", "params"] in [line[:3] for line in lines]
    assert [line[:5] for line in lines if "region=so'th" in line[1:2] and "regParam:" in line] == [
        ["*", "region=so'th", "1", "regParam:", "0.3"]
    ]
    assert ["slice", "metric", "mean"] in [line[:3] for line in lines]
    assert sum(line[:2] == ["region=so'th", "areaUnderROC"] for line in lines) == 1


def test_rows_find_their_own_in_one_scan(spark, regions, fitted):
    result, folder = fitted
    parts = load_parts(spark, folder)
    # A category that no fit has seen is no error where no fit reads it.
    rows = regions.selectExpr("id", "x", "if(region = 'few' or region is null, 99, n) AS n", "flag", "colour", "region")
    scored = score_parts(parts, result.signature, rows)
    assert scored.columns == [*rows.columns, "predicted_late", "probability"]
    found = {row.id: row for row in scored.collect()}
    assert len(found) == rows.count() == 600
    assert {row.region for row in found.values() if row.probability is None} == {"few", None}
    for part in parts:
        own = part.pipeline.transform(rows.where(f"region = '{part.value}'".replace("o't", "o\\'t")))
        for row in own.select("id", "probability").collect():
            assert found[row.id].probability == row.probability[1]
    scored.collect()
    plan = scored._jdf.queryExecution().executedPlan().toString().partition("Initial Plan")[0]
    assert plan.count("FileScan") == 1
    assert "ReusedExchange" in plan


def test_a_prediction_may_fail_where_there_is_no_model(spark, regions, fitted):
    result, folder = fitted
    strict = replace(result.signature, others="error")
    parts = load_parts(spark, folder)
    with pytest.raises(Exception, match="has no fitted model for region = few"):
        score_parts(parts, strict, regions.where("id < 60")).collect()


def test_a_changed_file_of_one_value_is_found(spark, fitted, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(fitted[1], folder)
    victim = next((folder / "values" / "0002-so-th").rglob("part-*"))
    victim.write_bytes(victim.read_bytes() + b" ")
    with pytest.raises(DataError, match="was changed after it was saved: 0002-so-th"):
        load_parts(spark, folder)


def test_values_that_cannot_be_fitted_are_named_together(spark, regions, make_spec, tmp_path):
    spec = for_each(make_spec(params=PARAMS), min_rows=1)
    rows = regions.selectExpr(
        "* EXCEPT (late, region)", "coalesce(region, 'none') AS region", "late AND region NOT IN ('few') AS late"
    ).where("late IS NOT NULL")
    few = rows.where("region = 'few'")
    wrong = rows.unionByName(few.selectExpr("* EXCEPT (id, region)", "id + 9000 AS id", "'also' AS region"))
    with pytest.raises(DataError, match="3 of 5 values of 'region' cannot be fitted") as caught:
        fit_ml_model(spark, spec, wrong, tmp_path / "m")
    assert [line.partition(":")[0] for line in caught.value.lines] == ["'also'", "'few'", "'none'"]
    assert "has one value in the training rows: False" in caught.value.lines[0]
    assert not (tmp_path / "m").exists()
    with pytest.raises(DataError, match="no value of 'region' of ml model 'm' has 9999 training rows"):
        fit_ml_model(spark, for_each(make_spec(params=PARAMS), min_rows=9999), regions, Path(tmp_path / "n"))
