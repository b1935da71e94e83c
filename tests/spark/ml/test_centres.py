"""Centres of clusters in the features' own units, against sums over the rows and Spark's own numbers."""

from __future__ import annotations

import math

import pytest
from pyspark.sql import functions as sf

from sqlml.ir.location import SourceLocation
from sqlml.ir.measuring import Slice
from sqlml.ir.project import Split
from sqlml.ir.state import Fingerprint, Version
from sqlml.ir.transform_spec import TransformSpec
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.centres import centre_rows
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score

PLACE = SourceLocation("m.yml", 9)
SCALES = {
    "standard": {},
    "standard with mean": {"withMean": True},
    "standard without std": {"withMean": True, "withStd": False},
    "min_max": {"min": -1.0, "max": 3.0},
    "max_abs": {},
    "robust": {},
    "robust centred": {"withCentering": True, "lower": 0.1, "upper": 0.8},
    "none": {},
}


def fit(spark, rows, ml_model, folder):
    """Return the centres, the predictions of the rows that were fitted on, and Spark's centres by slot."""
    fitted = fit_ml_model(spark, ml_model, rows, folder)
    pipeline = read_pipeline(folder)
    version = Version("m", 1, str(folder), Fingerprint("", ""), fitted.signature, facts=fitted.facts)
    scored = score(pipeline, fitted.signature, rows)
    plain = [
        dict(zip(fitted.signature.slots, map(float, centre), strict=True))
        for centre in pipeline.stages[-1].clusterCenters()
    ]
    return centre_rows(spark, pipeline, version), scored, plain


def test_numbers_are_given_back_their_units(spark, rows, spec, tmp_path):
    """A converged euclidean centre is the mean of its rows, whatever they were scaled by: each scale in one fit."""
    names = {how: how.replace(" ", "_") for how in SCALES}
    given = rows.selectExpr("id", "n", *[f"x + {n} as {name}" for n, name in enumerate(names.values())])
    transforms = tuple(
        TransformSpec((names[how],), PLACE, impute=0, scale=how.partition(" ")[0], params=params)
        for how, params in SCALES.items()
    )
    ml_model = spec(
        "KMeans",
        params={"k": 3, "maxIter": 200, "tol": 0.0},
        label=None,
        include=("n", *names.values()),
        transforms=(TransformSpec(("n",), PLACE, scale="standard"), *transforms),
        split=Split(by="none"),
    )
    centres, scored, _ = fit(spark, given, ml_model, tmp_path / "m")
    doubles = [(name, "double") for name in ("n", *names.values())]
    assert centres.dtypes == [("cluster", "int"), ("size", "bigint"), *doubles]
    means = [f"avg(coalesce({name}, 0)) {name}" for name in ("n", *names.values())]
    expected = {
        row.cluster: row
        for row in scored.groupBy("cluster").agg(sf.expr("count(*) size"), *map(sf.expr, means)).collect()
    }
    found = {row.cluster: row for row in centres.collect()}
    assert found.keys() == expected.keys() == {0, 1, 2}
    for cluster, row in expected.items():
        assert found[cluster].asDict() == pytest.approx(row.asDict(), rel=1e-9)


def test_categories_are_shares_and_arrays_stay_arrays(spark, rows, spec, tmp_path):
    given = rows.selectExpr("id", "n", "colour", "flag", "array(cast(n as double), x + 1) as pair").where(
        "x is not null"
    )
    include = ("n", "colour", "flag", "pair")
    ml_model = spec("KMeans", params={"k": 2, "seed": 3}, label=None, include=include, split=Split(by="none"))
    centres, _, plain = fit(spark, given, ml_model, tmp_path / "m")
    assert centres.dtypes[2:] == [
        ("n", "double"), ("colour", "map<string,double>"), ("flag", "double"), ("pair", "array<double>"),
    ]  # fmt: skip
    for row, centre in zip(centres.orderBy("cluster").collect(), plain, strict=True):
        assert set(row.colour) >= {"red", "it's green", "<null>", "<empty>", "<other>"}
        assert math.fsum(row.colour.values()) == pytest.approx(1.0)
        # What is not scaled is as Spark has it.
        assert row.colour == {slot[7:]: value for slot, value in centre.items() if slot.startswith("colour=")}
        assert (row.flag, row.pair) == (centre["flag"], [centre["pair[0]"], centre["pair[1]"]])


def test_a_feature_of_one_value_keeps_it(spark, rows, spec, tmp_path):
    """Spark scales it to 0, which by itself says nothing of it."""
    given = rows.selectExpr("id", "n", "7.5d as same", "if(id % 5 = 0, n, 3) as mostly")
    transforms = (TransformSpec(("mostly",), PLACE, scale="robust"), TransformSpec(("same",), PLACE, scale="min_max"))
    for number, how in enumerate((transforms, transforms[:1])):
        include = ("n", "same", "mostly")
        split = Split(by="none")
        ml_model = spec("KMeans", params={"k": 2}, label=None, include=include, transforms=how, split=split)
        centres, _, _ = fit(spark, given, ml_model, tmp_path / str(number))
        assert {row.same for row in centres.collect()} == {7.5}
        assert {row.mostly for row in centres.collect()} == {None}


@pytest.mark.parametrize("estimator", ["BisectingKMeans", "GaussianMixture"])
def test_other_clusterings_have_centres_too(spark, rows, spec, tmp_path, estimator):
    how = TransformSpec(("x", "n"), PLACE, impute=0, scale="max_abs")
    given = {"label": None, "include": ("x", "n"), "transforms": (how,), "split": Split(by="none")}
    given["slices"] = (Slice("colour", PLACE), Slice("even", PLACE, "id % 2 = 0"))
    fitted = fit_ml_model(spark, spec(estimator, params={"k": 2, "maxIter": 3}, **given), rows, tmp_path / "m")
    rows_of = {entry.slice: entry.rows for entry in fitted.metrics if entry.metric == "silhouette"}
    assert (rows_of[""], rows_of["even"]) == (600, 300)
    assert rows_of["colour=red"] == rows.where("colour = 'red'").count()
    pipeline = read_pipeline(tmp_path / "m")
    version = Version("m", 1, "", Fingerprint("", ""), fitted.signature, facts=fitted.facts)
    last = pipeline.stages[-1]
    plain = last.clusterCenters() if estimator == "BisectingKMeans" else [each.mean for each in last.gaussians]
    greatest = rows.selectExpr("max(abs(x))", "max(abs(n))").collect()[0]
    counts = {
        row.cluster: row["count"]
        for row in score(pipeline, fitted.signature, rows).groupBy("cluster").count().collect()
    }
    found = centre_rows(spark, pipeline, version).collect()
    assert {row.cluster: row.size for row in found} == counts
    for row in found:
        assert (row.x, row.n) == pytest.approx([a * b for a, b in zip(plain[row.cluster], greatest, strict=True)])
