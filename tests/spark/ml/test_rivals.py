"""A candidate against another version, on the rows that neither was fitted on; two classes are in test_versions.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyspark.ml.evaluation import RegressionEvaluator

from sqlml.ir.comparisons import Rival
from sqlml.ir.location import SourceLocation
from sqlml.ir.measuring import Gate, Slice
from sqlml.ir.project import Split
from sqlml.ir.records import VersionRecord
from sqlml.ir.state import Fingerprint, Version
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.tables import columns_of

PLACE = SourceLocation("m.yml", 7)


def gates(*metrics, part=""):
    return tuple(Gate(metric, PLACE, not_worse_than="champion", slice=part) for metric in metrics)


@pytest.fixture
def against(spark, rows, tmp_path):
    """Return what fits a rival, then a candidate, and gives the rival's folder and facts, and how they compare."""

    def compare(rival, candidate):
        first = fit_ml_model(spark, rival, rows, tmp_path / "was")
        folder = str(tmp_path / "was")
        version = Version("m", 4, folder, Fingerprint("", ""), first.signature, facts=first.facts)
        met = Rival("champion", version, VersionRecord(rival, (), columns_of(rows.schema)))
        second = fit_ml_model(spark, candidate, rows, tmp_path / "now", [met])
        return tmp_path / "was", first.facts, second

    return compare


def test_numbers_are_compared_on_what_both_held_out(spark, rows, make_spec, against):
    spec = make_spec("LinearRegression", label="amount", params={"maxIter": 4}, slices=(Slice("grade", PLACE),))
    rival = replace(spec, include=("n",), split=Split(by="time", columns=("at",), holdout=0.5, gap_s=60))
    folder, facts, found = against(
        rival, replace(spec, gates=gates("rmse", "mae", "r2") + gates("rmse", part="grade=low"))
    )
    held = rows.where(f"pmod(xxhash64(id, 42), 10000) < 2000 AND at >= timestamp '{facts['split']['holdout_from']}'")
    between = rows.where(
        f"pmod(xxhash64(id, 42), 10000) < 2000 AND at < timestamp '{facts['split']['holdout_from']}' "
        f"AND at >= timestamp '{facts['split']['holdout_from']}' - interval 60 seconds"
    )
    theirs = read_pipeline(folder).transform(held.unionAll(between))
    rmse, mae, r2, low = found.comparisons
    # Those of the gap were left out by the rival, too.
    assert rmse.rows == held.count() + between.count()
    for compared in (rmse, mae, r2):
        exact = RegressionEvaluator(labelCol="amount", metricName=compared.metric).evaluate(theirs)
        assert compared.was == pytest.approx(exact, rel=1e-9), compared.metric
        assert not compared.undecided
    assert 0 < rmse.gain_low < rmse.was - rmse.now < rmse.gain_high
    assert 0 < r2.gain_low < r2.now - r2.was < r2.gain_high
    assert low.rows < rmse.rows


def test_a_version_is_exactly_as_good_as_itself(make_spec, against):
    spec = make_spec(label="grade", params={"maxIter": 3})
    named = ("f1", "logLoss", "accuracy", "calibrationError")
    _, _, found = against(spec, replace(spec, gates=gates(*named)))
    held = {entry.metric: entry for entry in found.metrics if entry.dataset == "holdout"}
    assert [entry.metric for entry in found.comparisons] == list(named)
    for entry in found.comparisons:
        assert (entry.now, entry.rows) == (pytest.approx(held[entry.metric].value, rel=1e-12), held[entry.metric].rows)
        assert entry.was == entry.now
        assert (entry.gain_low, entry.gain_high) == (0.0, 0.0)
