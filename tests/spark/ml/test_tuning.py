"""Tuned fits: against Spark's own CrossValidator, and in a build that shows what is kept of a search."""

from __future__ import annotations

import itertools
import json
import statistics
from pathlib import Path

import pytest
from test_every_estimator import CASES, MORE

from sqlml.build import Request, build, load_dag, open_project_store
from sqlml.cli import run
from sqlml.cli.progress import SilentProgress
from sqlml.errors import EngineStopped, EnvironmentFault
from sqlml.ir.folds import Folds
from sqlml.ir.kept_trials import KeptTrial, TrialLog
from sqlml.ir.measuring import ThresholdRule
from sqlml.ir.metrics import METRICS, known_metrics
from sqlml.ir.project import Split
from sqlml.ir.results import Status
from sqlml.ir.tuning import Dimension, Tuning
from sqlml.persist.failpoints import TRIAL_KEPT
from sqlml.plan import plan
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("interpreted")]

REG_PARAMS = (0.5, 0.01)
FEW = {"maxIter": 3, "elasticNetParam": 0.5}


def read_table(folder, name):
    return [json.loads(line) for line in (folder / "tables" / f"{name}.jsonl").read_text().splitlines()]


def test_the_winner_is_that_of_sparks_cross_validator(spark, rows_of, make_spec, tmp_path):
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator
    from pyspark.ml.feature import Imputer, VectorAssembler
    from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
    from pyspark.sql import functions as sf

    rows = rows_of(200).select("id", "x", "n", "late").coalesce(1).persist()
    tuning = Tuning(
        (Dimension("regParam", "tune.params.regParam", ("params", "regParam"), REG_PARAMS),), metric="logLoss"
    )
    ml_model = make_spec(
        include=("x", "n"), params=FEW, split=Split(by="none"), folds=Folds(n=2), tuning=tuning,
        threshold_rule=ThresholdRule(maximize="f1"),
    )  # fmt: skip
    # The first build is interrupted with the trial that wins; the second has of it no more than what it measured.
    log: list[KeptTrial] = []

    def keep(trial):
        log.append(trial)
        if trial.number == 2:
            raise EngineStopped("the machine was switched off")

    with pytest.raises(EngineStopped, match="switched off"):
        fit_ml_model(spark, ml_model, rows, tmp_path / "m", open_trials=lambda digest: TrialLog((), keep))
    winner = [trial for trial in log if trial.number == 2]
    digests = []

    def open_trials(digest):
        digests.append(digest)
        return TrialLog(tuple(winner))

    fitted = fit_ml_model(spark, ml_model, rows, tmp_path / "m", open_trials=open_trials)

    by_hand = rows.select(
        "*",
        sf.expr("CAST(pmod(xxhash64(id, 43), 2) AS INT) AS fold"),
        sf.expr("double(late) AS label"),
        sf.expr("double(n) AS n_double"),
    )
    # What a fold learns to stand for null is not what another learns.
    known = by_hand.where("x is not null").select("fold", "x").collect()
    assert len({statistics.median(row.x for row in known if row.fold != fold) for fold in range(2)}) == 2
    estimator = LogisticRegression(labelCol="label", **FEW)
    assembler = VectorAssembler(inputCols=["filled", "n_double"], outputCol="features")
    pipeline = Pipeline(stages=[Imputer(strategy="median", inputCol="x", outputCol="filled"), assembler, estimator])
    cross = CrossValidator(
        estimator=pipeline,
        estimatorParamMaps=ParamGridBuilder().addGrid(estimator.regParam, list(REG_PARAMS)).build(),
        evaluator=MulticlassClassificationEvaluator(metricName="logLoss"),
        foldCol="fold",
        numFolds=2,
        parallelism=2,
    ).fit(by_hand)
    trials = read_table(tmp_path / "m", "trials")
    assert [float(trial["params"]["regParam"]) for trial in trials] == list(REG_PARAMS)
    assert [trial["value"] for trial in trials] == pytest.approx(cross.avgMetrics, abs=1e-9)
    assert [trial["deviation"] for trial in trials] == pytest.approx(
        [value * 2**0.5 for value in cross.stdMetrics], abs=1e-9
    )
    best = min(range(2), key=lambda at: cross.avgMetrics[at])
    assert [trial["is_best"] for trial in trials] == [at == best for at in range(2)]
    ours, theirs = read_pipeline(tmp_path / "m").stages[-1], cross.bestModel.stages[-1]
    assert ours.getRegParam() == theirs.getRegParam() == REG_PARAMS[best]
    assert ours.coefficients.toArray().tolist() == pytest.approx(theirs.coefficients.toArray().tolist(), abs=1e-9)
    assert ours.intercept == pytest.approx(theirs.intercept, abs=1e-9)
    assert [trial["is_kept"] for trial in trials] == [False, True]
    assert fitted.facts["tuning"]["kept"] == best == 1
    assert int(digests[0])
    # Two folds, whose features were made once for both trials; thresholds and metrics come from the winner's fits.
    assert fitted.facts["tuning"]["features_made"] == 2
    assert fitted.signature.threshold == fitted.facts["threshold"]["learnt"] == ours.getThreshold()
    validated = {(row["metric"], row["fold"]): row for row in read_table(tmp_path / "m", "cross_validation")}
    assert [validated["logLoss", fold]["value"] for fold in (1, 2)] == trials[best]["folds"]
    assert validated["logLoss", None]["value"] == pytest.approx(cross.avgMetrics[best], abs=1e-9)
    assert validated["areaUnderROC", None]["rows"] == 200


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_every_estimator_is_validated_on_folds(spark, rows, make_spec, tmp_path, name):
    case = CASES[name]
    include = case.features if len(case.features) == 4 else case.features[:1]
    given = {"include": include, "label": case.label, "params": case.params, "split": Split(by="none"), **case.spec}
    table = rows.where("id < 200").selectExpr("*", *MORE).coalesce(1)
    fit_ml_model(spark, make_spec(case.estimator, folds=Folds(n=2), **given), table, tmp_path / "m")
    found = read_table(tmp_path / "m", "cross_validation")
    known = [metric for metric in METRICS if metric in known_metrics(case.entry)]
    assert {row["fold"] for row in found} == {None, 1, 2}
    assert all(row["metric"].startswith(tuple(known)) for row in found)
    assert all(row["deviation"] >= 0 for row in found if row["fold"] is None)


@pytest.mark.long
def test_recommendations_are_tuned_by_what_is_recommended(spark, make_spec, tmp_path):
    ratings = spark.sql(
        "select id, id % 20 as who, int(pow(id, 2)) % 23 as what, id % 5 + id % 3 as stars, "
        "timestamp '2024-01-01' + make_dt_interval(0, id) as at from range(400)"
    ).coalesce(1)
    rank = Dimension("rank", "tune.params.rank", ("params", "rank"), (2, 4))
    ml_model = make_spec(
        "ALS", include=(), label="stars", user="who", item="what", rating="stars", event_time="at",
        params={"maxIter": 2}, split=Split(by="time", columns=("at",), within="who"), folds=Folds(n=2),
        tuning=Tuning((rank,), metric="ndcgAtK"),
    )  # fmt: skip
    fitted = fit_ml_model(spark, ml_model, ratings, tmp_path / "m")
    assert fitted.facts["folds"]["within"] == "who"
    trials = read_table(tmp_path / "m", "trials")
    assert [trial["metric"] for trial in trials] == ["ndcgAt10"] * 2
    assert max(trials, key=lambda trial: trial["value"])["is_best"]
    assert {"rmse", "ndcgAt10", "coverageAt10"} <= {
        row["metric"] for row in read_table(tmp_path / "m", "cross_validation")
    }


PROJECT = {
    "sqlml_project.yml": "name: tuned\n",
    "seeds/rows.csv": "id,x,part,y,kind,at\n"
    + "".join(
        f"{n},{'' if n % 7 == 0 else n * 7 % 11},{n % 5},{n * 7 % 11 + n % 3},{'abc'[n * 7 % 11 // 4]},"
        f"2024-01-01 00:{n:02}:00\n"
        for n in range(60)
    ),
    "models/tried.sql": "select version, trial, is_best, is_kept, value, folds[1] as last, "
    "params['x.impute'] as impute, "
    "double(params['regParam']) as reg from {{ ml_table('amount', 'trials') }}",
    "models/validated.sql": "select metric, fold, value, deviation from {{ ml_table('kind', 'cross_validation') }}",
    "models/ml.yml": """version: 2
ml_models:
  - name: amount
    training_data: ref('rows')
    estimator: LinearRegression
    params: {solver: normal}
    label: y
    keys: [id]
    event_time: at
    features: [x]
    split: {by: time, gap: 60s}
    tune:
      search: bayes
      metric: mae
      folds: {n: 2}
      params: {regParam: {low: 0.001, high: 10, log: true}}
      transforms: [{columns: x, impute: [mean, 100]}]
      trials: 3
  - name: kind
    training_data: ref('rows')
    estimator: DecisionTreeClassifier
    label: kind
    keys: [id]
    features: [x]
    folds: {by: group, column: part, n: 2}
    tune: {metric: f1, params: {thresholds: [[1, 1], [1, 1, 1]], maxDepth: [2]}}
    refit: all
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("tuned")
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def interrupted(project, warm):
    """The results of a build that stops once two of three trials are kept."""
    path = project / "models/ml.yml"
    one_by_one = PROJECT["models/ml.yml"].replace("trials: 3", "trials: 3\n      parallelism: 1")
    path.write_text(one_by_one, encoding="utf-8")
    passed = itertools.count(1)

    def stop(name):
        if name == TRIAL_KEPT and next(passed) == 2:
            raise EngineStopped("the machine was switched off")

    results = build(Request(project, select=("+amount",)), SilentProgress(), stop).results.results
    path.write_text(PROJECT["models/ml.yml"], encoding="utf-8")
    return {result.node_id: result for result in results}


@pytest.fixture(scope="module")
def built(project, interrupted):
    return {result.node_id: result for result in build(Request(project), SilentProgress()).results.results}


def test_a_plan_says_how_many_fits_it_takes(project, capsys):
    planned = plan(Request(project))
    assert {name: str(fits) for name, fits in planned.fits.items()} == {
        "amount": "7 fits: 3 trials x 2 folds + 1",
        "kind": "6 fits: 2 trials x 2 folds + 2",
    }


def test_a_library_that_lacks_is_said_before_spark_starts(project, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(EnvironmentFault, match="ml model 'amount' is tuned with 'search: bayes', which needs Optuna"):
        plan(Request(project))


def test_trials_are_read_by_sql(spark, project, built):
    statuses = {name: result.status for name, result in built.items()}
    assert statuses.pop("seed.rows") is Status.KEPT
    assert set(statuses.values()) == {Status.SUCCESS}, [result.error for result in built.values()]
    store = open_project_store(load_dag(Request(project)).project)
    outputs = store.snapshot().outputs
    tried = spark.read.parquet(outputs["sql_model.tried"].location).orderBy("trial").collect()
    assert [row.trial for row in tried] == [1, 2, 3]
    assert {row.impute for row in tried} <= {"mean", "100"}
    # The third had begun when the second stopped the build, or had not.
    kept = sum(row.is_kept for row in tried)
    assert [row.is_kept for row in tried] == [True, True, kept == 3]
    best = min(tried, key=lambda row: row.value)
    assert [row.is_best for row in tried] == [row.trial == best.trial for row in tried]
    version = store.snapshot().champion("amount")
    assert version.facts["params"]["regParam"] == best.reg
    assert version.facts["folds"]["by"] == "time"
    assert version.facts["folds"]["gap_s"] == 60
    assert version.facts["split"]["shared_keys"] == version.facts["folds"]["shared_keys"] == 0
    # Once for each fold and way to impute, whatever the params; nothing for trials that were kept.
    assert version.facts["tuning"]["features_made"] == (0 if kept == 3 else 2)
    assert version.facts["tuning"]["kept"] == kept
    assert f"best of 3 trials: regParam: {best.reg}, x.impute: {best.impute}" in built["ml_model.amount"].message
    assert built["ml_model.amount"].message.endswith(
        f"{kept} of 3 trials were kept from the build that was interrupted"
    )
    validated = spark.read.parquet(outputs["sql_model.validated"].location).collect()
    f1 = {row.fold: row for row in validated if row.metric == "f1"}
    assert f1[None].value == pytest.approx((f1[1].value + f1[2].value) / 2)
    assert f1[None].deviation == pytest.approx(abs(f1[1].value - f1[2].value) / 2**0.5)


def test_a_search_that_stops_leaves_no_version(interrupted):
    result = interrupted["ml_model.amount"]
    assert (result.status, str(result.error.what)) == (Status.ERROR, "the machine was switched off")


def test_a_version_shows_its_trials(project, built, capsys):
    assert run(["model", "show", "amount", "--project-dir", str(project)]) == 0
    shown = capsys.readouterr().out
    assert "trials on folds of the training rows (* is the best, + was kept from a build that was interrupted)" in shown
    assert run(["model", "show", "kind", "--project-dir", str(project)]) == 0
    shown = capsys.readouterr().out
    assert "on folds of the training rows:" in shown
    assert "'thresholds' of ml model 'kind' has 2 numbers for 3 classes" in shown
    assert "thresholds: [1, 1, 1], maxDepth: 2" in shown


def test_another_space_is_a_reason_to_fit_again(project, built):
    def actions():
        return {name: fits.total for name, fits in plan(Request(project)).fits.items()}

    assert actions() == {}
    path = project / "models/ml.yml"
    path.write_text(PROJECT["models/ml.yml"].replace("trials: 3", "trials: 3\n      parallelism: 1"), encoding="utf-8")
    assert actions() == {}
    path.write_text(PROJECT["models/ml.yml"].replace("high: 10", "high: 11"), encoding="utf-8")
    assert actions() == {"amount": 7}
    path.write_text(PROJECT["models/ml.yml"].replace("column: part, n: 2", "column: part, n: 3"), encoding="utf-8")
    assert actions() == {"kind": 8}
    path.write_text(PROJECT["models/ml.yml"], encoding="utf-8")
