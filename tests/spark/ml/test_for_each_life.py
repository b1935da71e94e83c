"""The life of a version with a fitted model for each value: built, shown, compared, made again, used by files."""

from __future__ import annotations

import json

import pytest

from sqlml.build import Request, load_project, open_project_store
from sqlml.cli import run

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("interpreted")]

HEADER = "id,x,z,region,y"


def people() -> list[str]:
    lines = []
    for n in range(480):
        x, z = (n * 37 % 101) / 10, n * 53 % 17
        height = (x + (n * 29 % 7) / 2) * (-1 if n % 2 else 1)
        lines.append(f"{n},{x},{z},{'east' if n % 2 else 'west'},{height:.1f}")
    return [*lines, "9001,1.0,2,north,1.0", "9002,3.0,2,,0.0"]


SPEC = """version: 2
ml_models:
  - name: high
    training_data: ref('people')
    estimator: DecisionTreeRegressor
    params: {maxDepth: 3}
    label: y
    keys: [id]
    for_each: {column: region, min_rows: 50}
    gates:
      - {metric: r2, at_least: 0.6, slice: region=east}
      - {metric: rmse, not_worse_than: champion, tolerance: 0.5}
"""
FILES = {
    "sqlml_project.yml": "name: each\n",
    "seeds/people.csv": "\n".join([HEADER, *people()]) + "\n",
    "models/scores.sql": "select id, region, predicted_y from {{ predict('high', ref('people'), explain=1) }}\n",
    "models/weights.sql": "select slice, feature, importance from {{ ml_table('high', 'importances') }}\n",
    "models/ml.yml": SPEC,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory, warm):
    """The project after two builds; the second version is a level deeper."""
    root = tmp_path_factory.mktemp("each")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    assert run(["build", "--project-dir", str(root), "--json"]) == 0
    (root / "models/ml.yml").write_text(SPEC.replace("maxDepth: 3", "maxDepth: 4"), encoding="utf-8")
    assert run(["build", "--project-dir", str(root), "--json"]) == 0
    return root


@pytest.fixture
def command(project, capsys):
    """Return what runs a command on the project and gives what it printed."""

    def call(*arguments: str) -> str:
        capsys.readouterr()
        code = run([*arguments, "--project-dir", str(project)])
        printed = capsys.readouterr()
        assert code == 0, printed.out + printed.err
        return printed.out

    return call


def test_it_is_built_shown_and_compared(project, command):
    snapshot = open_project_store(load_project(Request(project))).snapshot()
    champion = snapshot.champion("high")
    assert champion.version == 2
    compared = next(gate for gate in champion.gates if "not worse" in gate.gate)
    assert "that version 1 (champion) was not fitted on" in compared.reason
    assert {entry.slice for entry in champion.metrics} == {"", "region=east", "region=west"}
    shown = command("model", "show", "high")
    assert "region: 2 fitted models; 2 without (2 rows)" in shown
    assert "region=west" in shown
    found = json.loads(command("model", "diff", "high", "1", "2", "--on", "people", "--json"))
    assert found["predictions"]["whole"]["missing"] == 2
    assert {change["what"].partition(":")[0] for change in found["importances"]} <= {"region=east", "region=west"}
    assert "for each value of 'region'" in command("plan", "--retrain", "high")


def test_what_was_learnt_and_predicted_is_read_by_sql(command):
    weights = json.loads(command("show", "weights", "--json", "--limit", "10"))
    assert {row["slice"] for row in weights["rows"]} == {"region=east", "region=west"}
    scores = json.loads(command("show", "scores", "--json", "--limit", "1000"))["rows"]
    assert len(scores) == 482
    assert {row["region"] for row in scores if row["predicted_y"] is None} == {"north", None}


@pytest.mark.long
def test_it_is_made_again_bit_for_bit(command):
    made = json.loads(command("model", "reproduce", "high", "2", "--json"))
    assert made["is_identical"], made
    assert next(part for part in made["parts"] if part["name"] == "fitted stages")["compared"] >= 4


def test_it_scores_a_file(command, tmp_path):
    (tmp_path / "new.csv").write_text("x,z,region\n1.5,3,east\n1.5,3,west\n1.5,3,south\n", encoding="utf-8")
    said = command("predict", "high", "--input", str(tmp_path / "new.csv"), "--output", str(tmp_path / "out.csv"))
    assert "scored 3 rows with high version 2, 1 of them without a prediction" in said
    lines = (tmp_path / "out.csv").read_text().splitlines()
    found = {line.split(",")[2]: line.split(",")[3] for line in lines[1:]}
    assert set(found) == {"east", "west", "south"}
    assert found["south"] == ""
    assert found["east"] != found["west"]
