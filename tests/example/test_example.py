"""What the example project publishes, against what is known of its data and what its README promises."""

from __future__ import annotations

import json
import os

import pandas as pd
import pyarrow.dataset
import pytest

from example.project import run_sqlml

LAST_WEEK = pd.Timestamp("2013-12-25 05:00", tz="UTC")

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture(scope="module")
def flights(built) -> pd.DataFrame:
    return built.table("stg_flights").set_index("flight_id")


@pytest.fixture(scope="module")
def features(built) -> pd.DataFrame:
    return built.table("flight_features").set_index("flight_id")


@pytest.mark.skipif("SQLML_BUILT_EXAMPLE" in os.environ, reason="it may have been built again since")
def test_the_build_succeeds(built):
    assert built.results["exit_code"] == 0
    ended = {result["node_id"]: result["status"] for result in built.results["results"]}
    # What these tests of severity `warn` find is known, and said in models/staging/staging.yml.
    warned = {name for name, status in ended.items() if status == "warn" and not name.startswith("test.")}
    assert warned == {"sql_model.stg_airports", "sql_model.stg_flights"}
    # Sources are read, and nothing else was there before.
    assert {name.split(".")[0] for name, status in ended.items() if status == "kept"} <= {"source", "prediction"}
    assert set(ended.values()) == {"success", "warn", "kept"}


def test_published_facts_of_the_flights(flights):
    """The first four are printed in R for Data Science."""
    assert len(flights) == 336_776
    assert flights.dep_delay.isna().sum() == 8_255
    assert flights.dep_delay.mean() == pytest.approx(12.63907, abs=5e-6)
    assert flights.arr_delay.mean() == pytest.approx(6.89538, abs=5e-6)
    assert flights.arr_ts.notna().sum() == 327_346
    assert flights.is_late.mean() == pytest.approx(0.237, abs=5e-4)


def test_joins_find_what_they_should(built, flights, features):
    assert set(flights.dest) - set(built.table("airports").faa) == {"BQN", "PSE", "SJU", "STT"}
    assert len(set(flights.tail_number.dropna()) - set(built.table("planes").tailnum)) == 721
    assert len(features) == len(flights)
    # Every flight has an observation at or before it; some observations have no temperature.
    assert features.visibility.notna().all()
    assert features.temperature.mean() == pytest.approx(56.9235, abs=5e-5)


def test_arrivals_are_real_instants(flights):
    one = flights.loc["2013-01-01-UA-1545-EWR-0515"]
    # EWR 05:15 in New York to IAH, 08:19 on the clock in Houston, 11 minutes late.
    assert one.sched_dep_ts == pd.Timestamp("2013-01-01 10:15", tz="UTC")
    assert one.sched_arr_ts == pd.Timestamp("2013-01-01 14:19", tz="UTC")
    assert one.arr_ts == pd.Timestamp("2013-01-01 14:30", tz="UTC")


def test_training_and_hold_out_share_no_flight(built, features):
    facts = built.model("late_arrival")["facts"]
    cut = pd.Timestamp(facts["split"]["holdout_from"], tz="UTC")
    usable = features[(features.sched_dep_ts < LAST_WEEK) & features.is_late.notna()]
    # The cut is the first instant after the 80 % quantile.
    times = usable.sched_dep_ts.sort_values(ignore_index=True)
    quantile = times[-(-len(times) * 8 // 10) - 1]
    assert cut == times[times > quantile].iloc[0]
    training, holdout = usable[usable.sched_dep_ts < cut], usable[usable.sched_dep_ts >= cut]
    assert (len(training), len(holdout)) == (facts["rows"]["training"], facts["rows"]["holdout"])
    assert set(training.index).isdisjoint(holdout.index)
    assert 0.19 < len(holdout) / len(usable) <= 0.2
    assert built.model("arrival_delay")["facts"]["rows"]["training"] == len(training)


def test_hold_out_metrics_pass_their_gates(built):
    assert 0.72 <= built.metrics("late_arrival", "holdout")["areaUnderROC"] <= 0.76
    assert built.metrics("arrival_delay", "holdout")["rmse"] <= 40
    assert built.metrics("route_groups", "training")["silhouette"] >= 0.25
    for name in ("late_arrival", "arrival_delay", "route_groups"):
        model = built.model(name)
        assert model["gates"]
        assert all(gate["passed"] for gate in model["gates"])
        assert [alias["alias"] for alias in model["aliases"]] == ["champion"]


def test_how_often_it_happens_is_how_likely_it_was_said_to_be(built):
    calibration = built.table("late_arrival_calibration").sort_values("bin")
    assert calibration.flights.sum() == built.model("late_arrival")["facts"]["rows"]["holdout"]
    assert calibration.late_share.iloc[-1] > calibration.late_share.iloc[0] + 0.2
    measured = [m for m in built.model("late_arrival")["metrics"] if m["dataset"] == "holdout"]
    (area,) = [m for m in measured if (m["metric"], m["slice"]) == ("areaUnderROC", "")]
    assert area["low"] < area["value"] < area["high"] < area["low"] + 0.02
    carriers = {m["slice"]: m["rows"] for m in measured if m["metric"] == "logLoss" and m["slice"]}
    assert sum(carriers.values()) == area["rows"]
    assert "carrier=UA" in carriers


def test_scores_are_the_last_week_and_nothing_else(built, flights):
    scores = built.table("late_arrival_scores").set_index("flight_id")
    expected = flights.index[flights.sched_dep_ts >= LAST_WEEK]
    assert len(scores) == 6_064
    assert scores.index.is_unique
    assert set(scores.index) == set(expected)
    learnt_until = flights.sched_dep_ts[flights.sched_dep_ts < LAST_WEEK].max()
    assert scores.sched_dep_ts.min() > learnt_until
    assert scores.probability.between(0, 1).all()
    assert (scores.predicted_is_late == (scores.probability > 0.5)).all()
    # It knows something of flights that it has not seen.
    late = scores[scores.is_late.notna()].groupby("is_late").probability.mean()
    assert late[True] > late[False] + 0.05


def test_cancelled_flights_are_scored_too(built):
    scores = built.table("late_arrival_scores")
    assert scores.is_late.isna().any()
    assert scores[scores.is_late.isna()].probability.notna().all()


def test_route_groups_hold_every_route_once(built):
    profile, routes = built.table("route_group_profile"), built.table("route_features")
    assert sorted(profile.route_group) == [0, 1, 2, 3]
    assert profile.routes.sum() == len(routes) == 206
    assert profile.flights.sum() == routes.flights.sum()
    assert set(profile.typical_route) <= set(routes.origin + "-" + routes.dest)


def test_lineage_follows_a_source_to_the_slots_and_the_scores(built):
    finished = run_sqlml(built.root, "lineage", "raw.flights.carrier", "--downstream", "--json")
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    edges = {(*edge["from"], *edge["to"], edge["kind"]) for edge in found["edges"]}
    linear, scored = "ml_model.arrival_delay:vector", "prediction.late_arrival.last_week_flights:vector"
    assert found["versions"][linear] == found["versions"][scored] == 1
    for slot in ("carrier=UA", "carrier=HA", "carrier=<null>", "carrier=<other>"):
        assert ("ml_model.arrival_delay", "carrier", linear, slot, "value") in edges
    assert ("sql_model.last_week_flights", "carrier", scored, "carrier", "value") in edges
    prediction = "prediction.late_arrival.last_week_flights"
    assert (scored, "carrier", prediction, "probability", "value") in edges
    assert (prediction, "probability", "sql_model.late_arrival_scores", "probability", "value") in edges


def test_a_second_build_does_nothing(built):
    def state() -> dict[str, int]:
        kept = [built.root / "target/logs", *(built.root / "warehouse/tables").rglob("*")]
        kept += (built.root / "warehouse/models").rglob("*")
        kept += (built.root / "target/logs").rglob("*")
        return {str(path): path.lstat().st_mtime_ns for path in kept}

    before = state()
    finished = run_sqlml(built.root, "build", "--json")
    assert finished.returncode == 0, finished.stderr
    results = json.loads(finished.stdout)
    # A test that warned goes on to say so.
    assert {step["status"] for step in results["results"] if not step["node_id"].startswith("test.")} == {"kept"}
    assert {reason for step in results["results"] for reason in step["reasons"]} <= {"unchanged", "read"}
    assert sum(step["duration_s"] for step in results["results"]) == 0
    # Spark's log would have grown if a JVM had started.
    assert state() == before


def test_predict_gives_the_probabilities_of_the_table(built, tmp_path):
    target = tmp_path / "new folder" / "predictions"
    finished = run_sqlml(built.root, "predict", "late_arrival", "--input", "last_week_flights", "--output", str(target))
    assert finished.returncode == 0, finished.stderr
    predicted = pyarrow.dataset.dataset(target).to_table().to_pandas().set_index("flight_id").sort_index()
    scores = built.table("late_arrival_scores").set_index("flight_id").sort_index()
    assert list(predicted.index) == list(scores.index)
    assert (predicted.probability == scores.probability).all()
    assert (predicted.predicted_is_late == scores.predicted_is_late).all()
    # What it does not read passes through.
    assert {"tail_number", "arr_delay", "is_late"} <= set(predicted.columns)
