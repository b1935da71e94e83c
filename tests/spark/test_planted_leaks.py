"""A column of a source that is the label in disguise: no lineage shows it, and the fit names it."""

from __future__ import annotations

import json

import pytest
from sklearn.metrics import roc_auc_score

from sqlml.build import Request, load_project, open_project_store
from sqlml.cli import run
from sqlml.persist.version_tables import read_tables

# The fee is paid by those who churned, and 1 in 50 of them did not; of the others nobody has one. The reason is theirs.
SQL = """
with drawn as (
  select id, pmod(xxhash64(id, 1), 100) as age, pmod(xxhash64(id, 2), 1000) / 1000d as u,
         pmod(xxhash64(id, 3), 1000) / 1000d as noise
  from range(0, 700)
)
select id, age, if(noise < 0.1, null, noise) as noise, 20 * u + age / 10 as paid, u * 24 + age * 0.12 + noise as gross,
       u + age / 200 > 0.75 as churned,
       case when u + age / 200 > 0.75 and noise > 0.02 then 5 + 20 * noise end as fee,
       if(u + age / 200 > 0.75, concat('moved ', age % 3), concat('stays ', age % 2)) as note,
       case when noise < 0.3 then null when age < 40 then 'a' else 'b' end as plan
from drawn
"""
SPEC = """version: 2
ml_models:
  - name: leaky
    training_data: ref('people')
    estimator: LogisticRegression
    params: {maxIter: 3}
    label: churned
    keys: [id]
    features: [age, noise, plan, fee, note]
    diagnostics: {L010: error}
  - name: spend
    training_data: ref('people')
    estimator: LinearRegression
    params: {maxIter: 3}
    label: paid
    keys: [id]
    features: [age, noise, gross]
"""


class Project:
    """The project, and what its commands print."""

    def __init__(self, root, capsys) -> None:
        self.root, self.capsys = root, capsys

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments):
        self.capsys.readouterr()
        code = run([*arguments, "--project-dir", str(self.root)])
        return code, self.capsys.readouterr().out

    def build(self):
        code, text = self.run("build", "--json")
        return code, {step["node_id"].split(".")[1]: step for step in json.loads(text)["results"]}

    def versions(self):
        return open_project_store(load_project(Request(self.root))).snapshot().versions


@pytest.fixture
def project(tmp_path, warm, capsys, spark):
    made = Project(tmp_path, capsys)
    made.write("sqlml_project.yml", "name: leaks\n")
    spark.sql(SQL).coalesce(1).write.parquet(str(tmp_path / "data/people"))
    made.write("models/people.sql", "select * from {{ source('raw', 'people') }}\n")
    made.write("models/raw.yml", "version: 2\nsources:\n  - {name: raw, tables: [{name: people, path: data/people}]}\n")
    made.write("models/ml.yml", SPEC)
    return made


def test_a_planted_leak_is_named(project, spark):
    code, steps = project.build()
    assert code == 1
    leaky, spend = steps["leaky"], steps["spend"]
    assert (spend["status"], leaky["status"]) == ("success", "fail")
    assert "warning: feature 'gross' alone has r2 0.99" in spend["message"]
    for feature in ("fee", "note"):
        assert f"gate {feature} does not tell the label by itself: feature '{feature}' alone has" in leaky["message"]
    for feature in ("age", "noise", "plan"):
        assert f"feature '{feature}'" not in leaky["message"] + spend["message"]
    assert "  warning    feature 'gross' alone has r2 0.99" in project.run("model", "show", "spend", "1")[1]
    # Allowed with a reason it passes, without another fit.
    allowed = "    allow_leakage: {fee: 'agreed beforehand', note: 'asked for beforehand'}\n  - name: spend"
    project.write("models/ml.yml", SPEC.replace("  - name: spend", allowed))
    code, steps = project.build()
    assert (code, steps["leaky"]["message"]) == (0, "version 1 passes its gates now")
    assert {name: len(found) for name, found in project.versions().items()} == {"leaky": 1, "spend": 1}

    (version,) = project.versions()["leaky"]
    rows = read_tables(version, ["single_features"])["single_features"]
    areas = {(row["dataset"], row["feature"]): row["value"] for row in rows}
    held = spark.read.parquet(str(project.root / "data/people")).where("pmod(xxhash64(id, 42), 10000) < 2000")
    table = held.toPandas()
    fee, label = table["fee"].fillna(-1.0), table["churned"].astype(int)
    assert areas["holdout", "fee"] == pytest.approx(roc_auc_score(label, fee), abs=0.005)
    assert areas["holdout", "note"] == areas["training", "note"] == 1.0
    assert areas["holdout", "age"] == pytest.approx(roc_auc_score(label, table["age"]), abs=0.01)
    noise = [roc_auc_score(label, sign * table["noise"].fillna(end)) for sign in (1, -1) for end in (-1, 2)]
    assert min(abs(areas["holdout", "noise"] - value) for value in noise) < 0.01
