"""Fits with slices, weights of classes, a learnt threshold and a last fit on all rows; what they leave, read by SQL."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import functions as sf

from sqlml.build import Request, build, load_project, open_project_store
from sqlml.cli.progress import SilentProgress
from sqlml.errors import DataError
from sqlml.ir.chains import FeatureTransform
from sqlml.ir.location import SourceLocation
from sqlml.ir.measuring import Slice, ThresholdRule
from sqlml.ir.results import Status
from sqlml.ir.words import Kind
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.features import scan
from sqlml.run.ml.fit import fit_ml_model

PLACE = SourceLocation("m.yml", 7)
PARAMS = {"maxIter": 4, "regParam": 0.01}
SLICES = (Slice("grade", PLACE), Slice("few", PLACE, where="n < 4"), Slice("nobody", PLACE, where="n < 0"))


def coefficients(spark, folder):
    return read_pipeline(folder).stages[-1].coefficientMatrix.toArray().tolist()[0]


@pytest.fixture(scope="module")
def fits(spark, rows, make_spec, tmp_path_factory):
    """Return what gives a fit with its folder by name: plain, sliced, or full, with all that evaluation can do."""
    plain = make_spec(params=PARAMS)
    specs = {
        "plain": plain,
        "sliced": replace(plain, slices=SLICES, has_permutations=True),
        "full": make_spec(
            params=PARAMS, class_weights={"true": 3.0, "false": 1.0}, threshold_rule=ThresholdRule(None, 1.0, 4.0),
            refit="all", weight="weight",
        ),
    }  # fmt: skip

    @functools.cache
    def fit(name):
        folder = tmp_path_factory.mktemp(name) / "m"
        return fit_ml_model(spark, specs[name], rows, folder), folder

    return fit


def test_slices_are_measured_and_change_nothing(spark, rows, fits):
    plain, sliced = fits("plain")[0], fits("sliced")[0]
    whole = [entry for entry in sliced.metrics if not entry.slice]
    assert whole == list(plain.metrics)
    assert coefficients(spark, fits("sliced")[1]) == coefficients(spark, fits("plain")[1])
    found = {entry.slice for entry in sliced.metrics if entry.dataset == "holdout"}
    assert found == {"", "few", "grade=low", "grade=mid", "grade=top"}
    held = rows.where("pmod(xxhash64(id, 42), 10000) < 2000")
    counted = {entry.slice: entry.rows for entry in sliced.metrics if entry.dataset == "holdout"}
    assert counted["few"] == held.where("n < 4").count()
    assert counted["grade=top"] == held.where("grade = 'top'").count()
    assert sum(counted[f"grade={name}"] for name in ("low", "mid", "top")) == counted[""]


def test_what_is_relied_on_is_missed_when_it_is_shuffled(fits):
    lines = (fits("sliced")[1] / "tables" / "permutation_importances.jsonl").read_text().splitlines()
    found = {row["feature"]: row for row in map(json.loads, lines)}
    assert found.keys() == {"x", "n", "flag", "colour"}
    area = next(
        entry.value
        for entry in fits("sliced")[0].metrics
        if (entry.dataset, entry.slice, entry.metric) == ("holdout", "", "areaUnderROC")
    )
    assert [row["value"] for row in found.values()] == pytest.approx([area] * 4)
    # The label is made of x and of the colour, and of nothing else.
    assert found["x"]["importance"] > 0.1
    assert abs(found["n"]["importance"]) < 0.03
    assert found["x"]["importance"] == pytest.approx(area - found["x"]["shuffled"])
    assert not (fits("plain")[1] / "tables" / "permutation_importances.jsonl").exists()


def test_weights_of_classes_are_those_of_a_weighted_fit(spark, rows, fits, make_spec, tmp_path):
    """The last fit is on all rows, each with its own weight times its class's."""
    weighted = rows.withColumn("both", rows.weight * rows.late.cast("int") * 2 + rows.weight)
    split = replace(make_spec().split, by="none")
    result = fit_ml_model(spark, make_spec(params=PARAMS, weight="both", split=split), weighted, tmp_path / "m")
    assert coefficients(spark, fits("full")[1]) == pytest.approx(coefficients(spark, tmp_path / "m"), abs=1e-9)
    facts = fits("full")[0].facts
    assert facts["class_weights"] == {"false": 1.0, "true": 3.0}
    assert facts["refit"] == {"rows": result.rows}
    assert fits("full")[0].rows == 600


def test_the_threshold_is_learnt_without_the_hold_out(spark, rows, fits, make_spec, tmp_path):
    full = fits("full")[0]
    threshold = full.signature.threshold
    assert full.facts["threshold"]["learnt"] == threshold
    # A missed one costs as much as four false alarms.
    assert 0 < threshold < fits("plain")[0].facts.get("threshold", 0.5)
    assert read_pipeline(fits("full")[1]).stages[-1].getThreshold() == threshold
    # Other rows in the hold-out: metrics move, the threshold does not.
    other = rows.selectExpr("* except (late)", "if(pmod(xxhash64(id, 42), 10000) < 2000, not late, late) as late")
    spec = make_spec(
        params=PARAMS, class_weights={"true": 3.0, "false": 1.0}, threshold_rule=ThresholdRule(None, 1.0, 4.0),
        weight="weight",
    )  # fmt: skip
    moved = fit_ml_model(spark, spec, other, tmp_path / "m")
    assert moved.signature.threshold == threshold
    area = {entry.metric: entry.value for entry in full.metrics if entry.dataset == "holdout"}["areaUnderROC"]
    assert {entry.metric: entry.value for entry in moved.metrics if entry.dataset == "holdout"}[
        "areaUnderROC"
    ] == pytest.approx(1 - area)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"class_weights": {"true": 2.0}}, "'false' has no weight"),
        ({"class_weights": {"true": 2.0, "false": 1.0, "maybe": 1.0}}, "'maybe' is none of them"),
        ({"slices": (Slice("id", PLACE),)}, "slice column 'id' of ml model 'm' has 600 values"),
    ],
)
def test_what_only_the_rows_tell_is_refused(spark, rows, make_spec, tmp_path, given, message):
    with pytest.raises(DataError, match=message):
        fit_ml_model(spark, make_spec(params=PARAMS, **given), rows, tmp_path / "m")


PROJECT = {
    "sqlml_project.yml": "name: measured\n",
    "seeds/rows.csv": "id,x,part,y\n"
    + "".join(f"{n},{n * 7 % 11},{'ab'[n % 2]},{int((n * 7 % 11) + n % 5 > 7)}\n" for n in range(300)),
    "models/curve.sql": "select version, threshold, true_positive_rate as tpr "
    "from {{ ml_table('late', 'roc_curve') }} where dataset = 'holdout' and slice = ''",
    "models/measured.sql": "select metric, slice, value, low, baseline from {{ ml_table('late', 'metrics') }} "
    "where dataset = 'holdout'",
    "models/weights.sql": "select version, slot, coefficient from {{ ml_table('late', 'coefficients') }}",
    "models/ml.yml": """version: 2
ml_models:
  - name: late
    training_data: ref('rows')
    estimator: LogisticRegression
    params: {maxIter: 5}
    label: y
    keys: [id]
    features: [x]
    slices: [part]
    gates:
      - {metric: logLoss, better_than: baseline}
      - {metric: areaUnderROC, at_least: 0.7, slice: part=a, surely: true}
      - {metric: areaUnderROC, at_least: 0.999, slice: part=b}
""",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory, warm):
    folder: Path = tmp_path_factory.mktemp("measured")
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def build_again():
        return {result.node_id: result for result in build(Request(folder), SilentProgress()).results.results}

    return folder, build_again, build_again()


def test_gates_on_slices_and_the_baseline_decide(built):
    folder, _, first = built
    assert first["ml_model.late"].status is Status.FAIL
    message = first["ml_model.late"].message
    assert "areaUnderROC of part=b >= 0.999" in message
    assert "better than baseline" not in message
    assert first["sql_model.curve"].status is Status.SKIPPED
    (version,) = open_project_store(load_project(Request(folder))).snapshot().versions["late"]
    passed = {gate.gate: gate for gate in version.gates}
    gate = passed["logLoss better than baseline"]
    assert gate.is_passed
    assert "the baseline has 0." in gate.reason
    assert passed["areaUnderROC of part=a >= 0.7, surely"].is_passed


def test_sql_reads_what_evaluation_left(spark, built):
    folder, build_again, _ = built
    path = folder / "models/ml.yml"
    path.write_text(PROJECT["models/ml.yml"].replace("0.999", "0.6"), encoding="utf-8")
    results = build_again()
    assert {result.status for result in results.values()} <= {Status.SUCCESS, Status.KEPT}
    store = open_project_store(load_project(Request(folder)))
    outputs = store.snapshot().outputs
    curve, measured, weights = (
        spark.read.parquet(outputs[f"sql_model.{name}"].location).collect() for name in ("curve", "measured", "weights")
    )
    assert curve[0].tpr == 0.0
    assert max(row.tpr for row in curve) == 1.0
    assert {row.version for row in curve} == {1}
    (version,) = store.snapshot().versions["late"]
    kept = {(entry.metric, entry.slice): entry for entry in version.metrics if entry.dataset == "holdout"}
    read = {(row.metric, row.slice): row for row in measured}
    assert read.keys() == kept.keys()
    for key, row in read.items():
        assert (row.value, row.low, row.baseline) == (kept[key].value, kept[key].low, kept[key].baseline)
    assert {row.slot for row in weights} == {"x", "(intercept)"}
    assert all(math.isfinite(row.coefficient) for row in weights)
    # Nothing is made again as long as the champion stays.
    assert {result.status for result in build_again().values()} == {Status.KEPT}


def test_many_rows_are_measured_as_few_are(spark, monkeypatch):
    """What is scanned in several goes, each for a feature, is what one scan of everything gives."""
    rows = spark.sql(
        "SELECT id % 3 = 0 AS side, CASE WHEN id % 2 = 0 THEN double('NaN') ELSE 1 END AS label, "
        "CASE id % 7 WHEN 0 THEN NULL WHEN 1 THEN double('NaN') WHEN 2 THEN double('Infinity') ELSE id END AS d, "
        "CAST(id % 5 AS INT) AS n, id % 4 = 0 AS flag, concat('c', id % 6) AS colour, "
        "array(CAST(id AS DOUBLE), CASE WHEN id = 9 THEN NULL ELSE 1.0 END) AS list FROM range(60)"
    )
    kinds = {"d": Kind.NUMBER, "n": Kind.NUMBER, "flag": Kind.BOOLEAN, "colour": Kind.CATEGORY, "list": Kind.ARRAY}
    types = dict(rows.dtypes)
    transforms = [FeatureTransform(name, types[name], kind) for name, kind in kinds.items()]

    def groups():
        found = scan.scan_groups(
            rows, 60, [sf.col("side"), sf.col("label")], [sf.count("*").alias("n")], transforms=transforms, most=9
        )
        # As text, since NaN equals nothing.
        return sorted(found, key=repr)

    few = groups()
    assert len(few) == 4
    assert sum(group["infinite_4"] for group in few) == 1
    assert sum(group["present_0"] - group["finite_0"] for group in few) == len(range(2, 60, 7))
    monkeypatch.setattr(scan, "_FEW_ROWS", 0)
    monkeypatch.setattr(scan, "_TOGETHER", 1)
    assert repr(groups()) == repr(few)


def test_features_are_described_as_the_rows_have_them(spark, rows, fits):
    lines = (fits("plain")[1] / "tables" / "feature_statistics.jsonl").read_text().splitlines()
    found = {(row["dataset"], row["feature"]): row for row in map(json.loads, lines)}
    assert found.keys() == {(side, name) for side in ("training", "holdout") for name in ("x", "n", "flag", "colour")}
    for side, condition in (("training", ">= 2000"), ("holdout", "< 2000")):
        own = rows.where(f"late IS NOT NULL AND pmod(xxhash64(id, 42), 10000) {condition}")
        exact = own.selectExpr(
            "count(1) AS rows", "count_if(x IS NULL) AS nulls", "avg(x) AS mean", "stddev_pop(x) AS stddev",
            "min(x) AS min", "max(x) AS max", "percentile_disc(0.5) WITHIN GROUP (ORDER BY x) AS p50",
        ).collect()[0].asDict()  # fmt: skip
        row = found[side, "x"]
        assert {name: row[name] for name in exact if name != "p50"} == pytest.approx(
            {name: value for name, value in exact.items() if name != "p50"}
        )
        # Of two classes the quantiles are put together: within a hundredth of the rows.
        below = own.where(f"x <= {row['p50']!r}").count() / own.where("x IS NOT NULL").count()
        assert below == pytest.approx(0.5, abs=0.02)
        assert row["quantiles"] == sorted(row["quantiles"])
        assert (len(row["quantiles"]), row["quantiles"][10]) == (21, row["p50"])
        counted = own.where("colour IS NOT NULL").groupBy("colour").count().collect()
        total = sum(entry["count"] for entry in counted)
        shares = {entry["colour"]: entry["count"] / total for entry in counted}
        assert {entry["value"]: entry["share"] for entry in found[side, "colour"]["top"]} == pytest.approx(shares)
        assert found[side, "flag"]["mean"] == pytest.approx(own.selectExpr("avg(CAST(flag AS DOUBLE))").collect()[0][0])
