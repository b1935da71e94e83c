"""Gates on measured metrics; no JVM."""

from __future__ import annotations

import math

import pytest

from sqlml.errors import format_error
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.gates import check_gates, gate_dataset, unknown_gate_metrics
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.measuring import Gate
from sqlml.ir.metrics import METRICS, headline, kind_of, known_metrics, measured_name
from sqlml.ir.project import MlModel, Split
from sqlml.ir.state import Metric

PLACE = SourceLocation("m.yml", 4)


def outcome(value, dataset="holdout", metric="areaUnderROC", **bounds):
    measured = () if value is None else (Metric(dataset, metric, value), Metric(dataset, metric, 0.0, slice="a"))
    return check_gates((Gate("areaUnderROC", PLACE, **bounds),), measured, "holdout")[0]


@pytest.mark.parametrize(
    ("value", "bounds", "passed"),
    [
        (0.72, {"at_least": 0.72}, True),
        (0.7199, {"at_least": 0.72}, False),
        (0.5, {"at_most": 0.5}, True),
        (0.51, {"at_most": 0.5}, False),
        (0.5, {"at_least": 0.4, "at_most": 0.6}, True),
        (0.7, {"at_least": 0.4, "at_most": 0.6}, False),
    ],
)
def test_bounds_are_included(value, bounds, passed):
    assert outcome(value, **bounds).is_passed is passed


def test_what_was_not_measured_fails_with_the_reason():
    missing = outcome(None, at_least=0.5)
    assert (missing.is_passed, missing.value) == (False, None)
    assert missing.reason == "'areaUnderROC' was not measured on the hold-out, it needs two classes"
    assert outcome(math.nan, at_least=0.5).reason == "'areaUnderROC' is not a number on the hold-out"
    assert not outcome(0.9, dataset="training", at_least=0.5).is_passed


def test_a_slice_says_whether_it_has_rows_at_all():
    one_class = Metric("holdout", "accuracy", 0.9, "a", 12)
    for metric, part, reason in (
        ("areaUnderROC", "a", "on the hold-out of a, it needs two classes (12 rows)"),
        ("accuracy", "b", "on the hold-out of b: no row with a weight is in that slice; if the gate is new, fit again "
         "with --retrain"),
    ):  # fmt: skip
        (result,) = check_gates((Gate(metric, PLACE, at_least=0.5, slice=part),), (one_class,), "holdout")
        assert result.reason == f"'{metric}' was not measured {reason}"


def test_the_gate_and_its_reason_are_readable():
    result = outcome(0.7384, at_least=0.75)
    assert (result.gate, result.reason) == ("areaUnderROC >= 0.75", "areaUnderROC is 0.7384 on the hold-out")


def compared(metric="logLoss", value=0.4, gain=(0.05, 0.15), **given):
    measured = Metric("holdout", metric, value, "", 99, value - 0.1, value + 0.1, 0.5, *gain)
    return check_gates((Gate(metric, PLACE, **given),), (measured,), "holdout")[0]


def test_better_than_the_baseline_is_better_beyond_doubt():
    better = compared(better_than="baseline")
    assert better.is_passed
    assert better.gate == "logLoss better than baseline"
    assert better.reason == (
        "logLoss is 0.4 (95 %: 0.3 to 0.5) on the hold-out, the baseline has 0.5: better by 0.1 (95 %: 0.05 to 0.15)"
    )
    assert not compared(better_than="baseline", gain=(-0.01, 0.15)).is_passed
    assert compared(better_than="baseline", by=0.04).is_passed
    assert not compared(better_than="baseline", by=0.06).is_passed
    assert not compared(better_than="baseline", gain=(None, None)).is_passed
    worse = compared("accuracy", better_than="baseline", gain=(-0.2, -0.01))
    assert "worse by 0.1 (95 %: 0.01 to 0.2)" in worse.reason


def test_a_sure_gate_needs_the_whole_interval():
    assert compared(at_most=0.45).is_passed
    assert not compared(at_most=0.45, is_sure=True).is_passed
    assert compared(at_most=0.5, at_least=0.3, is_sure=True).is_passed
    unsure = outcome(0.9, at_least=0.5, is_sure=True)
    assert (unsure.is_passed, unsure.value) == (False, 0.9)
    assert "without an interval to be sure by" in unsure.reason


def test_gates_are_about_slices_datasets_and_tops():
    measured = (
        Metric("holdout", "liftAtTop10", 3.0),
        Metric("holdout", "liftAtTop2.5", 5.0, "a=1"),
        Metric("training", "liftAtTop10", 7.0),
    )
    gates = (
        Gate("liftAtTop", PLACE, at_least=3),
        Gate("liftAtTop", PLACE, at_least=5, top=0.025, slice="a=1"),
        Gate("liftAtTop", PLACE, at_least=7, dataset="training"),
        Gate("liftAtTop", PLACE, at_least=0, slice="a=2"),
    )
    results = check_gates(gates, measured, "holdout")
    assert [result.value for result in results] == [3.0, 5.0, 7.0, None]
    assert [result.is_passed for result in results] == [True, True, True, False]
    assert results[1].gate == "liftAtTop2.5 of a=1 >= 5"
    assert "on the hold-out of a=2" in results[3].reason
    assert kind_of("liftAtTop2.5") is METRICS["liftAtTop"]


def test_an_unknown_metric_is_found_before_a_fit():
    ml_model = MlModel(
        name="m",
        path="m.yml",
        places=Places(PLACE),
        training_data="",
        estimator="LinearRegression",
        gates=(Gate("rsme", PLACE, at_most=1), Gate("areaUnderROC", PLACE), Gate("rmse", PLACE)),
        split=Split(by="none"),
    )
    errors = unknown_gate_metrics(ml_model, ESTIMATORS["LinearRegression"])
    assert len(errors) == 2
    assert "did you mean 'rmse'" in format_error(errors[0])
    assert gate_dataset(ml_model) == "training"


def test_every_estimator_has_a_headline():
    for estimator in ESTIMATORS.values():
        known = [measured_name(name) for name in known_metrics(estimator)]
        assert set(known_metrics(estimator)) <= METRICS.keys()
        assert bool(known) == estimator.is_evaluated
        metrics = [Metric("holdout", name, 1.0) for name in reversed(known)]
        assert [shown.metric for shown in [headline(metrics, "holdout")] if shown] == known[:1]
        assert headline(metrics, "training") is None


def test_a_gate_of_a_ranking_names_its_places():
    gates = [Gate("ndcgAtK", PLACE, at_least=0.5), Gate("ndcgAtK", PLACE, at_least=0.5, k=3), Gate("rmse", PLACE)]
    metrics = [Metric("holdout", "ndcgAt10", 0.4), Metric("holdout", "ndcgAt3", 0.6)]
    ten, three, rmse = check_gates(gates, metrics, "holdout")
    assert (ten.is_passed, ten.gate, ten.reason) == (False, "ndcgAt10 >= 0.5", "ndcgAt10 is 0.4 on the hold-out")
    assert (three.is_passed, three.gate) == (True, "ndcgAt3 >= 0.5")
    assert not rmse.is_passed
    missing = check_gates([Gate("recallAtK", PLACE, at_least=0.1, k=7)], metrics, "holdout")
    assert (
        missing[0].reason
        == "'recallAt7' was not measured on the hold-out; if the gate is new, fit again with --retrain"
    )
