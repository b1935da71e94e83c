"""Two versions of one ML model, of before and after a drift in one region: what is recorded, and how they differ."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as sf

from sqlml.build import Request, load_project, open_project_store
from sqlml.cli import run
from sqlml.ir.comparisons import comparisons_of
from sqlml.persist.records import read_record
from sqlml.persist.version_tables import read_tables
from sqlml.run.ml.artifact import read_pipeline

REGIONS = "abc"


def people(is_later: bool) -> str:
    """Return the file: later, what the label follows from is turned round in region c, and x has moved up there."""
    lines = ["id,x,z,region,y,noise"]
    for n in range(600):
        region, x, z = REGIONS[n % 3], (n * 37 % 101) / 10, n * 53 % 17
        is_high = x + (n * 29 % 7) / 2 > 6.5
        if is_later and region == "c":
            is_high, x = not is_high, x + 3
        # A coin that knows nothing of the features.
        lines.append(f"{n},{x},{z},{region},{is_high},{(n * 7919) % 1009 % 2 == 1}".lower())
    return "\n".join(lines) + "\n"


SPEC = """version: 2
ml_models:
  - name: high
    training_data: ref('features')
    estimator: DecisionTreeClassifier
    params: {maxDepth: 4}
    label: y
    keys: [id]
    features: [x, z, region]
    slices: [region, {name: few, where: "id < 60"}]
    gates:
      - {metric: areaUnderROC, not_worse_than: champion, tolerance: 0.02}
      - {metric: logLoss, not_worse_than: champion, tolerance: 0.05, slice: region=c}
  - name: chance
    training_data: ref('features')
    estimator: LogisticRegression
    params: {maxIter: 8}
    label: noise
    keys: [id]
    retrain: {when: spec_changed}
    features: [x, z, region]
"""
FILES = {
    "sqlml_project.yml": "name: versions\n",
    "seeds/people.csv": people(False),
    "models/features.sql": "select id, x, z, region, y, noise from {{ ref('people') }}\n",
    "models/scores.sql": "select id, predicted_y, probability from {{ predict('high', ref('features')) }}\n",
    "models/ml.yml": SPEC,
}


class Versions:
    """The project, and what its commands print."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git_head = ""

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def store(self):
        return open_project_store(load_project(Request(self.root)))

    def version(self, number: int, ml_model: str = "high"):
        return self.store().snapshot().version(ml_model, number)

    def metric(self, number: int, metric: str, ml_model: str = "high"):
        """Return a metric of all held-out rows."""
        found = self.version(number, ml_model).metrics
        return next(m for m in found if (m.dataset, m.slice, m.metric) == ("holdout", "", metric))


@pytest.fixture(scope="module")
def project(tmp_path_factory, warm):
    """The project after two builds: version 2 of 'high' was fitted after the drift, a level deeper."""
    made = Versions(tmp_path_factory.mktemp("versions"))
    for name, text in FILES.items():
        made.write(name, text)
    git = ("git", "-C", str(made.root), "-c", "user.name=n", "-c", "user.email=e@e")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    assert run(["build", "--project-dir", str(made.root), "--json"]) == 0
    made.git_head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    made.write("seeds/people.csv", people(True))
    made.write("models/features.sql", "select id, x, z, region, y, noise\nfrom {{ ref('people') }} where id >= 0\n")
    made.write("models/ml.yml", SPEC.replace("maxDepth: 4", "maxDepth: 5"))
    # The curves of both versions, side by side.
    curves = "select version, count(1) as points from {{ ml_table('high', 'roc_curve'%s) }} group by version"
    made.write("models/curves.sql", f"{curves % ', version=1'} union all {curves % ''}\n")
    assert run(["build", "--project-dir", str(made.root), "--json"]) == 0
    return made


@pytest.fixture
def command(project, capsys):
    """Return what runs a command on the project and gives its code and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run([*arguments, "--project-dir", str(project.root)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def test_a_version_records_what_it_was_made_of(project):
    first, second = (read_record(project.version(number)) for number in (1, 2))
    assert first.spec.params == {"maxDepth": 4}
    assert first.defaults["maxBins"] == 32
    assert "maxDepth" not in first.defaults
    assert [entry.node_id for entry in first.relations] == ["seed.people", "sql_model.features"]
    assert first.training_data.sql == "select id, x, z, region, y, noise from `dev__people`\n"
    assert first.training_data.build_id
    versions = [record.relations[0].files.version for record in (first, second)]
    assert len(set(versions)) == 2
    assert first.software.keys() == {"sqlml", "python", "pyspark", "java"}
    assert first.settings["spark.sql.session.timeZone"] == "UTC"
    assert [column.name for column in first.columns] == ["id", "x", "z", "region", "y", "noise"]
    assert (first.commit.commit, first.commit.is_dirty) == (project.git_head, False)
    assert (second.commit.commit, second.commit.is_dirty) == (project.git_head, True)
    facts = project.version(1).facts
    assert sum(facts["classes"]["training"].values()) == facts["rows"]["training"]
    assert facts["duration_s"] > 0


def test_a_diff_tells_spec_sql_data_metrics_and_drift(command):
    code, text = command("model", "diff", "high", "1", "2", "--json")
    assert code == 0
    found = json.loads(text)
    assert found["spec"] == []
    assert found["params"] == [{"what": "maxDepth", "was": 4, "now": 5}]
    assert [change["what"] for change in found["sql"]] == ["features"]
    assert "people" in [change["what"] for change in found["data"]]
    parts = {(entry["slice"], entry["metric"]): entry for entry in found["metrics"] if entry["dataset"] == "holdout"}
    assert parts["region=c", "areaUnderROC"]["was"]["value"] > 0.7
    assert parts["", "areaUnderROC"]["is_apart"] is not None
    drift = {entry["feature"]: entry["psi"] for entry in found["drift"]}
    assert drift["x"] > 0.1 > drift["z"]
    assert drift["region"] < 0.01
    code, text = command("model", "diff", "high", "1", "2")
    assert code == 0
    assert "maxDepth  4    5" in text
    assert "-select id, x, z, region, y, noise from `dev__people`" in text
    assert "features that drifted" in text


def test_a_drift_in_one_slice_shows_in_the_predictions(command):
    code, text = command("model", "diff", "high", "1", "2", "--on", "features", "--json")
    assert code == 0
    found = json.loads(text)["predictions"]
    assert found["whole"]["rows"] == 600
    assert found["measured"] == "probability"
    by_slice = {part["slice"]: part for part in found["slices"]}
    assert {"region=a", "region=b", "region=c"} <= by_slice.keys()
    share = {name: part["changed"] / part["rows"] for name, part in by_slice.items()}
    assert share["region=c"] > 0.25
    assert share["region=c"] > 2 * max(share["region=a"], share["region=b"])
    assert next(name for name in by_slice if name.startswith("region=")) == "region=c"
    assert sum(move["rows"] for move in found["moves"]) == found["whole"]["changed"]
    quantiles = [entry["difference"] for entry in found["quantiles"]]
    assert quantiles == sorted(quantiles)
    code, text = command("model", "diff", "high", "1", "2", "--on", "features")
    assert "slices where predictions differ most" in text


def test_a_shuffled_label_is_not_learnt(project):
    area = project.metric(1, "areaUnderROC", "chance")
    assert area.low < 0.5 < area.high
    assert area.high - area.low < 0.5


def test_a_champion_is_compared_on_rows_that_it_was_not_fitted_on(spark, project):
    first, second = project.version(1), project.version(2)
    assert [gate.reason.partition("; ")[2] for gate in first.gates] == ["there was no champion yet"] * 2
    whole, part = comparisons_of(second)
    area = project.metric(2, "areaUnderROC")
    # Both hold the same rows out, by the hash of their ids: all of them were new to both.
    assert (whole.version, whole.rows, whole.now) == (1, area.rows, pytest.approx(area.value, rel=1e-12))
    held = spark.read.parquet(project.store().snapshot().outputs["sql_model.features"].location)
    held = held.where("pmod(xxhash64(id, 42), 10000) < 2000").withColumn("label", sf.col("y").cast("double"))
    scored = read_pipeline(Path(first.location)).transform(held)
    # Spark's own column of a single tree counts the rows of a leaf.
    evaluator = BinaryClassificationEvaluator(rawPredictionCol="probability", numBins=0)
    assert whole.was == pytest.approx(evaluator.evaluate(scored), rel=1e-12)
    assert 0 < whole.gain_low < whole.now - whole.was < whole.gain_high
    p = sf.get(vector_to_array("probability"), sf.col("y").cast("int"))
    loss = -sf.ln(sf.least(sf.greatest(p, sf.lit(1e-15)), sf.lit(1 - 1e-15)))
    assert part.was == pytest.approx(scored.where("region = 'c'").agg(sf.avg(loss)).collect()[0][0], rel=1e-12)
    assert second.has_passed


def test_a_worse_candidate_leaves_the_champion(project):
    spec = SPEC.replace("maxDepth: 4", "maxDepth: 5").replace("features: [x, z, region]", "features: [z, region]", 1)
    gate = "      - {metric: accuracy, not_worse_than: champion, tolerance: 0.5, slice: few}\n"
    project.write("models/ml.yml", spec.replace("  - name: chance", gate + "  - name: chance"))
    assert run(["build", "--project-dir", str(project.root), "--json"]) == 1
    third = project.version(3)
    worse, _, undecided = third.gates
    assert (worse.is_passed, undecided.is_passed) == (False, False)
    assert "which is more than the 0.02 that is tolerated" in worse.reason
    assert "are left that it was not fitted on, and at least 30 are needed" in undecided.reason
    snapshot = project.store().snapshot()
    assert snapshot.champion("high").version == 2
    assert snapshot.outputs["sql_model.scores"].champions == {"high": 2}
    # It is not fitted again, and says so again.
    assert run(["build", "--project-dir", str(project.root), "--json"]) == 1
    assert len(project.store().snapshot().versions["high"]) == 3


def test_a_version_is_fitted_again_from_what_was_kept_or_from_its_files(project, command):
    code, text = command("model", "reproduce", "high", "1", "--json")
    found = json.loads(text)
    assert (code, found["is_identical"]) == (0, True), text
    assert found["made_from"] == [f"features (build {read_record(project.version(1)).training_data.build_id})"]
    parts = {part["name"]: part["compared"] for part in found["parts"]}
    assert parts["predictions"] == 600
    assert parts["fitted stages"] > 3
    for name in ("features", "people"):
        relation = next(entry for entry in read_record(project.version(1)).relations if entry.name == name)
        shutil.rmtree(project.root / "warehouse/tables/dev" / name / relation.build_id)
    code, text = command("model", "reproduce", "high", "1")
    assert code == 2
    assert "'seeds/people.csv', which 'people' reads, has other content now" in text
    assert f"the project was at commit {project.git_head[:12]}" in text
    project.write("seeds/people.csv", people(False))
    code, text = command("model", "reproduce", "high", "1")
    assert (code, text.splitlines()[0]) == (
        0, "version 1 of high, fitted again from people (seeds/people.csv): identical"
    ), text  # fmt: skip
    project.write("seeds/people.csv", people(True))


def test_tags_name_versions_until_they_are_taken_away(command):
    assert command("model", "tag", "high", "1", "last_month") == (0, "version 1 of high: last_month\n")
    code, text = command("model", "diff", "high", "last_month", "champion", "--json")
    assert (code, json.loads(text)["was"], json.loads(text)["now"]) == (0, 1, 2)
    assert command("model", "tag", "high", "2", "last_month")[1] == "version 2 of high: champion, last_month\n"
    assert command("model", "tag", "high", "--remove", "last_month") == (0, "version 2 of high: champion\n")
    for arguments, message in (
        (("1", "champion"), "sqlml model promote high 1"),
        (("1", "7"), "'7' cannot be an alias"),
        (("9", "blessed"), "'high' has no version '9'"),
        (("--remove", "blessed"), "no version of 'high' bears 'blessed'"),
    ):
        code, text = command("model", "tag", "high", *arguments)
        assert (code, message in text) == (2, True), text


def test_sql_reads_the_curves_of_an_earlier_version(spark, project):
    outputs = project.store().snapshot().outputs
    rows = spark.read.parquet(outputs["sql_model.curves"].location).collect()
    assert {row["version"] for row in rows} == {1, 2}
    assert outputs["ml_output.high__roc_curve__v1"].champions == {}


def test_statistics_are_there_for_sql(project):
    rows = read_tables(project.version(2), ["feature_statistics"])["feature_statistics"]
    assert {(row["dataset"], row["feature"]) for row in rows} == {
        (dataset, feature) for dataset in ("training", "holdout") for feature in ("x", "z", "region")
    }
