"""Two targets of one project: what development reads of production, and that it never changes anything there."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from sqlml.cli import run
from sqlml.errors import StateError
from sqlml.ir.records import RecordedRelation
from sqlml.persist import open_store
from sqlml.persist.records import read_record, write_record

PEOPLE = "id,x,y\n" + "".join(f"{n},{n % 10},{str(n % 10 > 4 and n % 7 > 0).lower()}\n" for n in range(240))
SPEC = """version: 2
ml_models:
  - name: high
    training_data: ref('features')
    estimator: LogisticRegression
    params: {maxIter: 3}
    label: y
    keys: [id]
    features: [x]
    gates: [{metric: areaUnderROC, not_worse_than: champion, tolerance: 0.2}]
"""
FILES = {
    "sqlml_project.yml": """name: two
targets:
  dev: {}
  prod:
    schema: live
    spark: {spark.some.secret: "{{ env_var('NOT_SET_HERE') }}"}
  empty: {}
""",
    "seeds/people.csv": PEOPLE,
    "models/short.sql": "{{ config(materialized='ephemeral') }} select id, x, y, '{{ target.name }}' as made_for"
    " from {{ ref('people') }} where id < 200\n",
    "models/looked_at.sql": "{{ config(materialized='view') }} select * from {{ ref('short') }}\n",
    "models/features.sql": "select id, x, y from {{ ref('looked_at') }}\n",
    "models/scores.sql": "select id, predicted_y from {{ predict('high', ref('features')) }}\n",
    "models/on_view.sql": "select max(made_for) as made_for, count(1) as n from {{ ref('looked_at') }}\n",
    "models/counted.sql": "select sum(int(predicted_y)) as n from {{ ref('scores') }}\n",
    "models/ml.yml": SPEC,
    "tests/none_below.sql": "select * from {{ ref('features') }} where x < 0\n",
}


class TwoTargets:
    """The project, and what its commands do and print."""

    def __init__(self, root: Path, capsys) -> None:
        self.root = root
        self._capsys = capsys

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str, code: int = 0) -> str:
        self._capsys.readouterr()
        ended = run([*arguments, "--project-dir", str(self.root)])
        said = self._capsys.readouterr()
        assert ended == code, said.out + said.err
        return said.out + said.err

    def build(self, *arguments: str, code: int = 0) -> dict[str, str]:
        self.run("build", *arguments, code=code)
        results = json.loads((self.root / "target" / "run_results.json").read_text())["results"]
        return {entry["node_id"].partition(".")[2]: entry["status"] for entry in results}

    def plan(self, *arguments: str) -> dict:
        return json.loads(self.run("plan", "--json", "--defer", "prod", *arguments))

    def snapshot(self, target: str):
        return open_store(self.root, {"prod": "live"}.get(target, target)).snapshot()

    def of_production(self) -> dict[str, object]:
        """Return every file of production with its bytes and time, and every row of the state that is its own."""
        found: dict[str, object] = {}
        for path in sorted((self.root / "warehouse").glob("*/live/**/*")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path.is_symlink())
            found[str(path)] = (digest, path.lstat().st_mtime_ns)
        with sqlite3.connect(self.root / "warehouse" / "state.sqlite") as state:
            for (table,) in state.execute("select name from sqlite_master where type = 'table'").fetchall():
                names = [row[1] for row in state.execute(f"pragma table_info({table})")]
                if "schema" in names:
                    rows = state.execute(f"select * from {table} where schema = 'live'").fetchall()
                    found[table] = sorted(map(repr, rows))
        return found


@pytest.fixture(scope="module")
def built(tmp_path_factory, warm):
    """The folder of the project once production was built."""
    root = tmp_path_factory.mktemp("two")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NOT_SET_HERE", "it is")
        assert run(["build", "--target", "prod", "--project-dir", str(root)]) == 0
    return root


@pytest.fixture
def project(tmp_path, capsys, built):
    shutil.copytree(built, tmp_path / "two", symlinks=True)
    return TwoTargets(tmp_path / "two", capsys)


def test_development_reads_production_and_leaves_it_alone(project, monkeypatch):
    before = project.of_production()
    assert before["aliases"] and before["outputs"]

    shown = project.run("plan", "--defer", "prod", "--select", "scores", "on_view")
    assert "read from target 'prod':" in shown and "high: version 1" in shown and "looked_at: view" in shown
    assert project.plan("--select", "scores")["deferred"].keys() == {"high", "features"}
    assert project.build("--defer", "prod", "--select", "scores", "on_view")["scores"] == "success"
    scores = project.snapshot("dev").outputs["sql_model.scores"]
    assert dict(scores.champions) == {"high": "prod.1"}
    assert scores.rows == 200
    # A view of production is what production has, its ephemerals too.
    assert project.run("show", "on_view").split()[-2:] == ["prod", "200"]
    assert '"id": 199' in project.run("show", "looked_at", "--limit", "200", "--defer", "prod", "--json")
    # Unchanged is not built, here or there.
    assert project.build("--defer", "prod", "--select", "scores", "on_view")["scores"] == "kept"
    project.run("predict", "high", "--input", "features", "--output", str(project.root / "out.csv"), "--defer", "prod")
    project.run("test", "--select", "none_below", "--defer", "prod")
    assert project.snapshot("dev").tests["test.none_below"].status == "pass"

    # A table of predictions that production holds, read as it is.
    assert project.build("--defer", "prod", "--select", "counted")["counted"] == "success"
    assert project.snapshot("dev").outputs["sql_model.counted"].champions == {"high": "prod.1"}

    # Development's own fit meets production's champion, and takes its place in development alone.
    assert project.build("--defer", "prod", "--select", "high")["high"] == "success"
    own = project.snapshot("dev").champion("high")
    assert (own.version, own.of_target) == (1, "")
    assert "target 'prod'" in own.gates[0].reason or "was not fitted on" in own.gates[0].reason
    # A kept build may hold predictions of a target that the project file has no more.
    record = read_record(own)
    scored = RecordedRelation(
        "prediction.a", "a", "a", (), "", ml_model="high", version=1, scored="seed.b", of_target="gone"
    )
    write_record(Path(own.location), replace(record, relations=(scored, *record.relations)), project.root)
    again = json.loads(project.run("model", "reproduce", "high", "--json"))
    assert (again["is_identical"], again["made_from"][0].partition(" (")[0]) == (True, "features")
    assert project.plan("--select", "scores")["steps"][-1]["reasons"] == ["champion of 'high' changed"]
    assert project.build("--defer", "prod", "--select", "scores")["scores"] == "success"
    assert dict(project.snapshot("dev").outputs["sql_model.scores"].champions) == {"high": 1}
    assert project.of_production() == before

    # What production does next is due here where it is read: another champion in what it has scored.
    project.build("--defer", "prod", "--select", "counted")
    monkeypatch.setenv("NOT_SET_HERE", "it is")
    project.build("--target", "prod", "--retrain", "high")
    monkeypatch.delenv("NOT_SET_HERE")
    assert project.snapshot("prod").champion("high").version == 2
    assert project.snapshot("dev").champion("high").version == 1


def test_what_is_read_of_production_follows_its_aliases_and_never_its_numbers(project, monkeypatch):
    """And a fit on a view of production is made again from what that view read, whatever the SQL here says."""
    project.write("models/counted.sql", "select version from {{ ml_table('high', 'metrics', version='stable') }}\n")
    project.write("models/numbered.sql", "select version from {{ ml_table('high', 'metrics', version=1) }}\n")
    assert project.plan("--select", "counted")["steps"][-1]["reasons"] == ["'high' has no version 'stable'"]
    tagged = ("model", "tag", "high", "--target", "prod")
    monkeypatch.setenv("NOT_SET_HERE", "it is")
    project.run(*tagged, "1", "stable")
    monkeypatch.delenv("NOT_SET_HERE")
    built = project.build("--defer", "prod", "--select", "scores", "counted", "numbered", code=2)
    assert (built["counted"], built["numbered"]) == ("success", "skipped")
    said = json.loads((project.root / "target" / "run_results.json").read_text())["results"]
    assert "'high' has no version 1" in {entry["message"] for entry in said}
    assert dict(project.snapshot("dev").outputs["sql_model.counted"].champions) == {"high@stable": "prod.1"}
    out = str(project.root / "out.csv")
    asked = ("predict", "high", "--input", "features", "--output", out, "--defer", "prod", "--version")
    assert "'high' has no version '1'\n  fix: there are: prod.1, champion, stable" in project.run(*asked, "1", code=2)
    project.run(*asked, "prod.1")

    monkeypatch.setenv("NOT_SET_HERE", "it is")
    project.build("--target", "prod", "--select", "high", "--retrain", "high")
    project.run(*tagged, "2", "stable")
    monkeypatch.delenv("NOT_SET_HERE")
    assert project.plan("--select", "counted")["steps"][-1]["reasons"] == ["version 'stable' of 'high' changed"]
    planned = project.plan("--select", "scores")
    assert planned["deferred"]["high"] == "version 2"
    assert planned["steps"][-1]["reasons"] == ["champion of 'high' changed"]
    project.write("models/picked.sql", "select * from {{ ref('looked_at') }} where id < 9\n")
    project.build("--defer", "prod", "--select", "scores", "picked")
    assert dict(project.snapshot("dev").outputs["sql_model.scores"].champions) == {"high": "prod.2"}

    # Here the view is another one by now; what is read is production's, from an ephemeral and a seed of its own. And
    # what was a table here is an ephemeral.
    project.write("models/looked_at.sql", FILES["models/looked_at.sql"] + " where id >= 20\n")
    project.write("models/picked.sql", "{{ config(materialized='ephemeral') }} select * from {{ ref('looked_at') }}\n")
    project.write("models/ml.yml", SPEC.replace("ref('features')", "ref('picked')"))
    project.write("models/numbered.sql", "select version from {{ ml_table('high', 'metrics', version=7) }}\n")
    said = project.run("build", "--defer", "prod", "--select", "high", "numbered", code=2)
    assert "'high' has no version 7" in said and "there are: prod.1, prod.2, champion, stable, 1" in said
    own = project.snapshot("dev").champion("high")
    assert sum(own.facts["rows"][side] for side in ("training", "holdout")) == 200
    record = read_record(own)
    names = ["prod.people", "prod.short", "prod.looked_at", "looked_at", "picked"]
    assert [entry.name for entry in record.relations] == names
    again = json.loads(project.run("model", "reproduce", "high", "--json"))
    assert again["is_identical"], again
    assert [entry.partition(" (")[0] for entry in again["made_from"]] == ["prod.people"]


def test_what_cannot_be_deferred_is_told_at_once(project):
    assert "target 'prud' of --defer is not in the project file" in project.run("plan", "--defer", "prud", code=2)
    assert "target 'empty' of --defer was never built" in project.run("build", "--defer", "empty", code=2)
    assert "whose schema 'dev' is that of target 'dev' itself" in project.run("plan", "--defer", "dev", code=2)
    # A relation that neither has, and another that the champion of production cannot score.
    project.write("models/nowhere.sql", "select 1 as id, 2.5 as x")
    project.write("models/wrong.sql", "select n.id from {{ ref('nowhere') }} as n")
    project.write("models/features.sql", "select id, x as size, y from {{ ref('people') }}\n")
    project.write("models/ml.yml", SPEC.replace("[x]", "[size]"))
    project.write("tests/none_below.sql", "select * from {{ ref('features') }} where id < 0")
    said = project.run("plan", "--defer", "prod", "--select", "wrong", "features", "scores", code=2)
    assert "'wrong' reads 'nowhere', which was never built, here or in target 'prod', and is not selected" in said
    assert "models/wrong.sql:1" in said and "select '+wrong'" in said
    assert "scores with version 1 of target 'prod', the champion: 'features' lacks 'x'" in said


def test_two_targets_are_built_at_once(project):
    dev, live = open_store(project.root, "dev"), open_store(project.root, "live")
    with dev.lock():
        folder = dev.begin_output("sql_model.mine")
        folder.mkdir()
        run_id = dev.start_run("build")
        with live.lock():
            live.recover()
        assert folder.is_dir()
        with sqlite3.connect(project.root / "warehouse" / "state.sqlite") as state:
            assert state.execute("select status from runs where run_id = ?", [run_id]).fetchone() == ("running",)
        with pytest.raises(StateError, match="schema 'dev' of this warehouse"):
            open_store(project.root, "dev").lock().__enter__()
