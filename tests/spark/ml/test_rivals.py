"""A candidate against another version, on the rows that neither was fitted on; two classes are in test_versions.py."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.recommendation import ALS
from pyspark.sql import functions as sf

from sqlml.ir.comparisons import Rival
from sqlml.ir.estimators import estimator_of
from sqlml.ir.location import SourceLocation
from sqlml.ir.measuring import Gate, Slice
from sqlml.ir.project import Split
from sqlml.ir.records import VersionRecord
from sqlml.ir.state import Fingerprint, Version
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.recommend import ITEM, USER, Ids
from sqlml.run.ml.rival_rankings import Recommender, compare_rankings
from sqlml.run.ml.role_stages import fit_role_stages
from sqlml.run.ml.seen_rows import SEEN
from sqlml.run.tables import columns_of

PLACE = SourceLocation("m.yml", 7)


def gates(*metrics, part=""):
    return tuple(Gate(metric, PLACE, not_worse_than="champion", slice=part) for metric in metrics)


@pytest.fixture
def fit_rival(spark, tmp_path):
    """Return what fits a version that bears an alias."""

    def fit(alias, spec, rows):
        folder = tmp_path / alias
        found = fit_ml_model(spark, spec, rows, folder)
        version = Version("m", 4, str(folder), Fingerprint("", ""), found.signature, facts=found.facts)
        return Rival(alias, version, VersionRecord(spec, (), columns_of(rows.schema)))

    return fit


@pytest.fixture
def against(spark, rows, fit_rival, tmp_path):
    """Return what fits a rival, then a candidate, and gives the rival's folder and facts, and how they compare."""

    def compare(rival, candidate):
        met = fit_rival("champion", rival, rows)
        found = fit_ml_model(spark, candidate, rows, tmp_path / "now", [met])
        return Path(met.version.location), met.version.facts, found

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


def test_a_version_fitted_again_on_all_rows_has_seen_all_up_to_its_last(spark, rows, make_spec, fit_rival, tmp_path):
    spec = make_spec("LinearRegression", label="amount", params={"maxIter": 2}, include=("n", "x"), refit="all")
    by_time = Split(by="time", columns=("at",), holdout=0.25)
    early = fit_rival("early", replace(spec, split=by_time), rows.where("id < 500"))
    facts = early.version.facts
    refit = {**facts["refit"], "latest": "2024-01-25 23:00:00.000000"}
    same = replace(early, alias="same", version=replace(early.version, facts={**facts, "refit": refit}))
    within = fit_rival("within", replace(spec, refit="none", split=replace(by_time, within="flag")), rows)
    asked = tuple(Gate("rmse", PLACE, not_worse_than=name) for name in ("early", "same", "within"))
    found = fit_ml_model(
        spark, replace(spec, split=by_time, gates=asked), rows, tmp_path / "now", [early, same, within]
    )
    of_early, of_same, of_within = found.comparisons
    assert facts["refit"] == {"rows": 500, "time": "at", "latest": "2024-01-21 19:00:00.000000"}
    held = {"early": rows.where("id >= 500"), "within": held_within(rows)}
    for compared, rival in ((of_early, early), (of_within, within)):
        theirs = read_pipeline(Path(rival.version.location)).transform(held[rival.alias])
        assert compared.rows == theirs.count()
        exact = RegressionEvaluator(labelCol="amount", metricName="rmse").evaluate(theirs)
        assert compared.was == pytest.approx(exact, rel=1e-9), rival.alias
        assert not compared.undecided
    # That one was fitted again on the last row, too.
    assert of_same.rows == 0
    assert of_same.undecided == (
        "0 held-out rows are left that it was not fitted on, and at least 30 are needed; with 'refit: all' it has seen "
        "every row up to 2024-01-25 23:00:00: wait for more rows after that, or write 'refit: none'"
    )


def held_within(rows):
    """Return what both a split by time and one within the flag hold out, each of the last quarter."""
    at = "percentile_disc(0.75) WITHIN GROUP (ORDER BY id) OVER (PARTITION BY flag)"
    return rows.selectExpr("*", f"{at} AS border").where("id >= 450 AND id > border").drop("border")


TASTE_SQL = """
select user, item, stars, id from (
  select concat('u', pmod(id, 50)) as user, cast(id / 50 as int) as item, id,
         1 + pmod(xxhash64(pmod(id, 50) % 5, cast(id / 50 as int) % 4), 4) + pmod(xxhash64(id), 100) / 100d as stars
  from range(0, 1500)
) where pmod(xxhash64(id, 9), 3) = 0
"""
K = 4


def ranked_by_hand(pairs, seen, relevant):
    """Return the ndcg and the recall of each user, from all predictions."""
    found = {}
    for user, wanted in relevant.items():
        best = sorted((-score, item) for (one, item), score in pairs.items() if one == user and (one, item) not in seen)
        gains = [1 / math.log(rank + 1) for rank, (_, item) in enumerate(best[:K], 1) if item in wanted]
        ideal = sum(1 / math.log(rank + 1) for rank in range(1, min(K, len(wanted)) + 1))
        found[user] = (sum(gains) / ideal, len(gains) / len(wanted))
    return found


@pytest.fixture
def tastes(spark, tmp_path):
    path = str(tmp_path / "tastes")
    spark.sql(TASTE_SQL).coalesce(1).write.parquet(path)
    return spark.read.parquet(path)


@pytest.fixture
def taste(make_spec):
    params = {"rank": 3, "maxIter": 1, "seed": 1, "numUserBlocks": 1, "numItemBlocks": 1}
    columns = {"user": "user", "item": "item", "rating": "stars", "include": ()}
    spec = make_spec("ALS", label="stars", params=params, keys=("id",), **columns)
    return replace(spec, relevant_from=2.0, slices=(Slice("even", PLACE, "item % 2 = 0"),))


def every_prediction(pipeline, tastes):
    every = tastes.select("user").distinct().crossJoin(tastes.select("item").distinct()).withColumn("stars", sf.lit(1))
    return {(row.user, row.item): row.prediction for row in pipeline.transform(every).collect()}


def test_rankings_are_compared_over_users_both_know(spark, tastes, taste):
    entry = estimator_of(taste)
    # What the rival was fitted on are other pairs; a few users are strangers to it.
    drawn = ("pmod(xxhash64(id, 7), 2) = 0 AS is_held", f"pmod(xxhash64(id, 8), 3) = 0 AS {SEEN}")
    sides = tastes.selectExpr("*", *drawn, f"array('odd') AS {SLICES}")
    training, held = sides.where("NOT is_held"), sides.where("is_held")
    theirs = sides.where(f"{SEEN} AND user NOT IN ('u0', 'u7')")
    pipelines = []
    for rows in (training, theirs):
        stages = list(fit_role_stages(rows, taste, entry).stages)
        ready = PipelineModel(stages).transform(rows).withColumn("rating", sf.col("stars"))
        als = ALS(rank=3, maxIter=1, seed=1, userCol=USER, itemCol=ITEM, numUserBlocks=1, numItemBlocks=1)
        pipelines.append(PipelineModel([*stages, als.fit(ready)]))
    asked = (Gate("ndcgAtK", PLACE, not_worse_than="champion", k=K),)
    candidate = Recommender(Ids.of(pipelines[0]), replace(taste, gates=asked), training, held)
    found = compare_rankings(candidate, Ids.of(pipelines[1]), {"", "odd"})
    table = sides.toPandas()
    known = set(theirs.toPandas()["user"]) & set(training.toPandas()["user"])
    wanted = table[table["is_held"] & ~table[SEEN] & (table["stars"] >= 2) & table["user"].isin(known)]
    relevant = {user: set(of["item"]) for user, of in wanted.groupby("user")}
    seen = {(row.user, row.item) for row in table[~table["is_held"] | table[SEEN]].itertuples()}
    # Neither recommends what it does not know.
    scores = [
        {pair: score for pair, score in every_prediction(pipeline, tastes).items() if not math.isnan(score)}
        for pipeline in pipelines
    ]
    assert {user for user, _ in scores[0]} > known
    for pairs, values in zip(scores, (found[""].now, found[""].was), strict=True):
        by_hand = ranked_by_hand(pairs, seen, relevant).values()
        assert values[f"ndcgAt{K}"] == pytest.approx(sum(ndcg for ndcg, _ in by_hand) / len(by_hand), rel=1e-9)
        assert values[f"recallAt{K}"] == pytest.approx(sum(recall for _, recall in by_hand) / len(by_hand), rel=1e-9)
    assert found[""].rows == len(relevant) > 30
    assert found["odd"].now == found[""].now


@pytest.mark.long
def test_rankings_are_compared_over_users_without_what_either_was_fitted_on(spark, tastes, taste, fit_rival, tmp_path):
    spec = taste
    rival = fit_rival("champion", replace(spec, split=Split(by="hash", seed=5, holdout=0.5, within="user")), tastes)
    asked = (
        Gate("ndcgAtK", PLACE, not_worse_than="champion", k=K),
        Gate("recallAtK", PLACE, not_worse_than="champion", k=K, slice="even"),
        Gate("rmse", PLACE, not_worse_than="champion"),
    )
    split = Split(by="hash", holdout=0.5, within="user")
    found = fit_ml_model(spark, replace(spec, split=split, gates=asked), tastes, tmp_path / "now", [rival])
    pipelines = [read_pipeline(folder) for folder in (tmp_path / "now", Path(rival.version.location))]
    scores = [every_prediction(pipeline, tastes) for pipeline in pipelines]
    table = tastes.toPandas()
    places = [placed(tastes, seed) for seed in (42, 5)]
    table["is_held"], table["is_unseen"] = ([is_held[at] for at in table["id"]] for is_held in places)
    seen = {(row.user, row.item) for row in table.itertuples() if not (row.is_held and row.is_unseen)}
    ndcg, recall, rmse = found.comparisons
    for compared, at, part in ((ndcg, 0, table), (recall, 1, table[table["item"] % 2 == 0])):
        wanted = part[part["is_held"] & part["is_unseen"] & (part["stars"] >= 2)]
        relevant = {user: set(of["item"]) for user, of in wanted.groupby("user")}
        for value, pairs in zip((compared.now, compared.was), scores, strict=True):
            values = [one[at] for one in ranked_by_hand(pairs, seen, relevant).values()]
            assert value == pytest.approx(sum(values) / len(values), rel=1e-9), compared.metric
        assert (compared.rows, compared.undecided) == (len(relevant), "")
        assert compared.gain_low < compared.now - compared.was < compared.gain_high
    both = table[table["is_held"] & table["is_unseen"]]
    errors = [[pairs[row.user, row.item] - row.stars for row in both.itertuples()] for pairs in scores]
    assert rmse.rows == len(both)
    for value, of in zip((rmse.now, rmse.was), errors, strict=True):
        assert value == pytest.approx(math.sqrt(sum(error**2 for error in of) / len(of)), rel=1e-6)


def placed(rows, seed):
    """Return by id whether a split within the user, by the hash of the id, holds out the row."""
    place = f"pmod(xxhash64(id, {seed}), {2**52})"
    border = f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {place}) OVER (PARTITION BY user)"
    return {row.id: row.held for row in rows.selectExpr("id", f"{place} > {border} AS held").collect()}
