"""Estimators by import path: fitted, saved, loaded in a process without sqlml, and what is refused of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import by_hand
import pytest

from sqlml.compile.estimator_code import estimator_code
from sqlml.errors import DataError, format_error
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score

MEAN = {"estimator": "foreign_estimators.ShiftedMean", "problem": "regression", "label": "amount"}
STEEP = {"estimator": "foreign_estimators.Steep", "problem": "classification"}


def test_a_regression_of_another_library(spark, rows, make_spec, tmp_path):
    result = fit_ml_model(spark, make_spec(**MEAN, params={"shift": 2.5}), rows, tmp_path / "mean")
    assert result.facts["params"] == {"shift": 2.5, "seed": 42}
    assert result.signature.estimator == "foreign_estimators.ShiftedMean"
    assert [column.name for column in result.signature.outputs] == ["predicted_amount"]
    found = {row.predicted_amount for row in score(read_pipeline(tmp_path / "mean"), result.signature, rows).collect()}
    mean = rows.where("pmod(xxhash64(id, 42), 10000) >= 2000").selectExpr("avg(amount)").collect()[0][0]
    assert len(found) == 1
    assert found.pop() == pytest.approx(mean + 2.5)
    rows.write.parquet(str(tmp_path / "rows"))
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    subprocess.run([sys.executable, by_hand.__file__, str(tmp_path)], check=True, env=environment)
    saved = json.loads((tmp_path / "mean" / "predictions.json").read_text())
    assert [row["prediction"] for row in saved.values()] == pytest.approx([mean + 2.5] * len(saved))


def test_what_a_fitted_one_turns_out_to_return(spark, rows, make_spec, tmp_path):
    result = fit_ml_model(spark, make_spec(**STEEP, params={"regParam": 0.1}), rows, tmp_path / "m")
    assert [column.name for column in result.signature.outputs] == ["predicted_late", "probability"]
    assert {"areaUnderROC", "logLoss"} <= {entry.metric for entry in result.metrics}
    lines = (tmp_path / "m" / "tables" / "coefficients.jsonl").read_text().splitlines()
    assert {json.loads(line)["slot"] for line in lines} == {*result.signature.slots, "(intercept)"}


@pytest.mark.parametrize(
    ("given", "what", "fix"),
    [
        (MEAN | {"estimator": "no_such_module.Tree"}, "cannot be imported: No module named", "PYTHONPATH"),
        (MEAN | {"estimator": "foreign_estimators.Tree"}, "cannot be imported: module", "PYTHONPATH"),
        (MEAN | {"estimator": "foreign_estimators.NOT_ONE"}, "is no pyspark.ml.Estimator", "a class with fit()"),
        (MEAN | {"estimator": "foreign_estimators.Unsaved"}, "fits cannot be saved", "MLWritable"),
        (MEAN | {"params": {"shft": 1.0}}, "has no param 'shft'", "did you mean 'shift'?"),
        (MEAN | {"params": {"shift": "far"}}, "refuses its params", ""),
        (MEAN | {"weight": "weight"}, "takes no weight", "it has no param 'weightCol': remove 'weight:'"),
    ],
)
def test_what_is_refused(spark, rows, make_spec, tmp_path, given, what, fix):
    with pytest.raises(DataError) as caught:
        fit_ml_model(spark, make_spec(**given), rows, tmp_path / "m")
    assert what in caught.value.what
    assert fix in format_error(caught.value)
    assert not (tmp_path / "m").exists()


def test_sparks_own_by_path_is_the_entry_of_the_registry(spark, rows, make_spec, tmp_path):
    ml_model = make_spec(estimator="pyspark.ml.classification.LinearSVC", params={"maxIter": 2})
    result = fit_ml_model(spark, ml_model, rows, tmp_path / "m")
    assert [column.name for column in result.signature.outputs] == ["predicted_late", "score"]


def test_a_change_of_the_file_is_known_without_importing_it(make_spec, tmp_path, monkeypatch):
    package = tmp_path / "never_imported"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "trees.py").write_text("one")
    monkeypatch.syspath_prepend(str(tmp_path))
    ml_model = make_spec(estimator="never_imported.trees.Tree", problem="regression")
    first = estimator_code(ml_model)
    assert first
    assert estimator_code(ml_model) == first
    Path(package / "trees.py").write_text("two")
    assert estimator_code(ml_model) != first
    assert estimator_code(replace(ml_model, estimator="never_imported.none.Tree")) == ""
    assert estimator_code(make_spec()) == ""
