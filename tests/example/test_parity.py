"""The example against plain Spark ML: the same models fitted by hand, and sqlml's models in a process without sqlml."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset
import pytest
from sklearn.metrics import roc_auc_score

from sqlml.run.java import VECTOR_MODULE, find_java
from sqlml.run.ml.artifact import read_pipeline, read_signature
from sqlml.run.ml.score import score

SCRIPT = Path(__file__).with_name("plain_spark_ml.py")
# With sys.modules[name] = None, `import name` fails, however the package is installed.
WITHOUT_SQLML = """
import runpy, sys
sys.modules["sqlml"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# Spark's own launcher always asks for a module that a trimmed Java lacks, and which Spark does not need.
FORGIVING_JAVA = """#!/bin/sh
for argument; do
    shift
    [ "$argument" = "--add-modules={module}" ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@dataclass(frozen=True)
class Plain:
    """What the script found.

    Attributes:
        models: ML model to `by_hand`, `saved` (both as described by the script) and `metrics`.
        output: folder with the predictions of sqlml's fitted models.
    """

    models: dict[str, Any]
    output: Path

    def predictions(self, ml_model: str) -> pd.DataFrame:
        return pyarrow.dataset.dataset(self.output / ml_model).to_table().to_pandas()


@pytest.fixture(scope="module")
def plain(built, tmp_path_factory) -> Plain:
    folder = tmp_path_factory.mktemp("plain spark")
    command = [sys.executable, "-I", "-c", WITHOUT_SQLML, SCRIPT, built.root, folder]
    environment = {**os.environ, "JAVA_HOME": str(java_home(folder)), "SPARK_LOCAL_IP": "127.0.0.1"}
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=3600
    )
    assert finished.returncode == 0, finished.stderr[-5000:]
    return Plain(json.loads((folder / "models.json").read_text("utf-8")), folder)


def java_home(folder: Path) -> Path:
    """Return a home whose Java the ordinary launcher can start, whichever Java this machine has."""
    java = find_java(os.environ).executable
    executable = folder / "java" / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(FORGIVING_JAVA.format(module=VECTOR_MODULE, java=shlex.quote(str(java))), "utf-8")
    executable.chmod(0o755)
    return executable.parents[1]


def test_the_script_cannot_import_sqlml(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sqlml.errors", "utf-8")
    command = [sys.executable, "-I", "-c", WITHOUT_SQLML, script]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in finished.stderr
    assert "sqlml" not in [line.split()[1] for line in SCRIPT.read_text("utf-8").splitlines() if "import" in line]


def test_boosted_trees_are_the_same(plain, built):
    model = plain.models["late_arrival"]
    assert len(model["by_hand"]["trees"]) == 20
    assert all("<=" in tree and "Predict: " in tree for tree in model["by_hand"]["trees"])
    assert any(" in {" in tree for tree in model["by_hand"]["trees"]), "no tree asks for a category"
    assert model["saved"] == model["by_hand"]
    assert built.model("late_arrival")["facts"]["rows"]["training"] == model["metrics"]["rows"]
    assert built.metrics("late_arrival", "holdout")["areaUnderROC"] == pytest.approx(
        model["metrics"]["areaUnderROC"], abs=1e-9
    )


def test_the_line_is_the_same(plain, built):
    model = plain.models["arrival_delay"]
    assert len(model["by_hand"]["coefficients"]) == len(read_signature(built.model_folder("arrival_delay")).slots)
    assert model["saved"]["coefficients"] == pytest.approx(model["by_hand"]["coefficients"], abs=1e-9)
    assert model["saved"]["intercept"] == pytest.approx(model["by_hand"]["intercept"], abs=1e-9)
    assert built.metrics("arrival_delay", "holdout")["rmse"] == pytest.approx(model["metrics"]["rmse"], abs=1e-9)


def test_centres_are_the_same(plain, built):
    model = plain.models["route_groups"]
    assert len(model["by_hand"]["centres"]) == 4
    for ours, by_hand in zip(model["saved"]["centres"], model["by_hand"]["centres"], strict=True):
        assert ours == pytest.approx(by_hand, abs=1e-9)
    stored = built.metrics("route_groups", "training")
    for name in ("silhouette", "trainingCost"):
        assert stored[name] == pytest.approx(model["metrics"][name], abs=1e-9)


def test_probabilities_without_sqlml_are_those_of_sqlml(plain, built):
    scores = built.table("late_arrival_scores").set_index("flight_id").probability
    plain_scores = plain.predictions("late_arrival").set_index("flight_id").probability
    assert len(scores) > 6000
    assert (plain_scores.loc[scores.index] - scores).abs().max() <= 1e-12


def test_the_stored_area_is_the_one_of_the_hold_out(plain, built):
    """Measured a third time, by scikit-learn, on what the saved model predicts."""
    cut = pd.Timestamp(built.model("late_arrival")["facts"]["split"]["holdout_from"], tz="UTC")
    flights = built.table("flight_features").set_index("flight_id")
    last_week = pd.Timestamp("2013-12-25 05:00", tz="UTC")
    held = flights[(flights.sched_dep_ts >= cut) & (flights.sched_dep_ts < last_week) & flights.is_late.notna()]
    probability = plain.predictions("late_arrival").set_index("flight_id").probability.loc[held.index]
    area = roc_auc_score(held.is_late.astype(bool), probability)
    assert area == pytest.approx(built.metrics("late_arrival", "holdout")["areaUnderROC"], abs=1e-9)
    assert 0.72 < area < 0.76


def test_minutes_and_groups_without_sqlml_are_those_of_sqlml(plain, built, spark):
    def predicted_by_sqlml(ml_model: str, relation: str, keys: list[str], column: str) -> pd.Series:
        folder = built.model_folder(ml_model)
        rows = spark.read.parquet(str(built.root / "warehouse/tables/dev" / relation / "current"))
        if ml_model == "arrival_delay":
            rows = rows.where("sched_dep_ts >= timestamp '2013-12-25 05:00:00'")
        scored = score(read_pipeline(folder), read_signature(folder), rows)
        return scored.select(*keys, column).toArrow().to_pandas().set_index(keys)[column]

    minutes = predicted_by_sqlml("arrival_delay", "flight_features", ["flight_id"], "predicted_arr_delay")
    theirs = plain.predictions("arrival_delay").set_index("flight_id").prediction.loc[minutes.index]
    assert len(minutes) > 6000
    assert (minutes - theirs).abs().max() <= 1e-12

    groups = predicted_by_sqlml("route_groups", "route_features", ["origin", "dest"], "cluster")
    theirs = plain.predictions("route_groups").set_index(["origin", "dest"]).prediction.loc[groups.index]
    assert sorted(set(groups)) == [0, 1, 2, 3]
    assert (groups == theirs).all()
