"""Contracts that only Spark can judge: a type that no compiler knows, the classes that a label turns out to have."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sqlml.build import Request, build, load_project, open_project_store
from sqlml.cli.progress import SilentProgress
from sqlml.errors import format_error
from sqlml.ir.lineage import ColumnRef
from sqlml.ir.results import Status
from sqlml.lineage import lineage
from sqlml.plan import plan

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]

# Two classes at first, of which nothing is said: how many there are is what the rows say.
ROWS = "id,x,y\n" + "".join(f"{number},{number % 7},{number % 2}\n" for number in range(60))
MORE = "".join(f"{number},{number % 7},2\n" for number in range(60, 80))
PARSED = """select id, from_json('{{}}', schema_of_json('{{"a": 1}}')) as parsed from {{{{ ref('rows') }}}}{more}"""
DECLARED = """  - name: {name}
    config: {{contract: {{enforced: true}}, materialized: {kind}}}
    columns: [{{name: id, data_type: int}}, {{name: parsed, data_type: "{type}"}}]
"""
KEPT, WRONG = "struct<A: bigint>", "struct<a: int>"
FILES = {
    "sqlml_project.yml": "name: promises\n",
    "seeds/rows.csv": ROWS,
    "models/kept.sql": PARSED.format(more=""),
    "models/kept_view.sql": PARSED.format(more=""),
    # No row of it can be computed: its schema is judged before.
    "models/wrong.sql": PARSED.format(more=" where 1 / (id - id) > 1"),
    "models/wrong_view.sql": PARSED.format(more=""),
    "models/models.yml": "version: 2\nmodels:\n"
    + DECLARED.format(name="kept", kind="table", type=KEPT)
    + DECLARED.format(name="kept_view", kind="view", type=KEPT)
    + DECLARED.format(name="wrong", kind="table", type=WRONG)
    + DECLARED.format(name="wrong_view", kind="view", type=WRONG),
    "models/ml.yml": """version: 2
ml_models:
  - name: classes
    training_data: ref('rows')
    estimator: LogisticRegression
    params: {maxIter: 2}
    label: y
    keys: [id]
    contract: {enforced: true}
""",
}
WRONG_TEXT = """sql model '{name}' does not keep its contract
    column  declared       returned
    parsed  struct<a:int>  struct<a:bigint>  another type
  --> models/models.yml:{line}:58
  fix: change the SQL, or what columns: declares"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promises")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def run(project):
    return {result.node_id: result for result in build(Request(project), SilentProgress()).results.results}


def snapshot(project):
    return open_project_store(load_project(Request(project))).snapshot()


@pytest.fixture(scope="module")
def first(project, warm):
    return run(project)


@pytest.mark.parametrize(("name", "line"), [("wrong", 11), ("wrong_view", 14)])
def test_what_spark_returns_is_not_published_against_a_contract(project, first, name, line):
    result = first[f"sql_model.{name}"]
    assert result.status is Status.ERROR
    assert format_error(result.error) == "error: " + WRONG_TEXT.format(name=name, line=line)
    assert f"sql_model.{name}" not in snapshot(project).outputs


def test_what_spark_returns_as_it_was_promised_is_published(project, first):
    outputs = snapshot(project).outputs
    for name in ("kept", "kept_view"):
        assert first[f"sql_model.{name}"].status is Status.SUCCESS
        assert [column.type for column in outputs[f"sql_model.{name}"].columns] == ["int", "struct<a:bigint>"]
    assert not list((project / "warehouse" / "tables").rglob("*wrong*/*"))


def test_a_fit_that_returns_something_else_is_no_version(project, first):
    assert first["ml_model.classes"].status is Status.SUCCESS
    assert [column.name for column in snapshot(project).versions["classes"][0].signature.outputs] == [
        "predicted_y",
        "probability",
    ]
    (project / "seeds" / "rows.csv").write_text(ROWS + MORE, encoding="utf-8")
    result = run(project)["ml_model.classes"]
    assert result.status is Status.ERROR
    assert " ".join(format_error(result.error).split()) == (
        "error: ml model 'classes' does not keep its contract: version 1 is its champion version 1 now "
        "probability double - output is gone confidence - double output is new "
        "probabilities - map<string,double> output is new --> models/ml.yml:9:5 "
        "fix: restore it; or to let it change, remove 'contract:', build, and write it again"
    )
    assert [version.version for version in snapshot(project).versions["classes"]] == [1]
    ml = project / "models" / "ml.yml"
    ml.write_text(FILES["models/ml.yml"].replace("    contract: {enforced: true}\n", ""), encoding="utf-8")
    assert run(project)["ml_model.classes"].status is Status.SUCCESS
    assert snapshot(project).champion("classes").signature.outputs[-1].name == "probabilities"


def test_plan_shows_what_is_not_as_in_a_real_champion(project, first, tmp_path):
    """No Spark: what was fitted above is compared with what the project says now."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    ml = FILES["models/ml.yml"].replace("    contract: {enforced: true}\n", "")

    def changes(rows, more=""):
        (copy / "seeds" / "rows.csv").write_text(rows, encoding="utf-8")
        (copy / "models" / "ml.yml").write_text(ml + more, encoding="utf-8")
        planned = plan(Request(copy, select=("classes",))).features["classes"]
        assert planned.champion == snapshot(project).champion("classes").version
        return [str(change) for change in planned.changes]

    wide = "id,x,z,y\n1,0.5,a,0\n2,1.5,b,1\n"
    assert changes(ROWS) == []
    assert changes(wide) == ["~ feature x: int -> double", "+ feature z, new upstream"]
    assert changes(wide, "    features: [z]\n") == [
        "+ feature z, new in the spec",
        "- feature x, no feature any more",
    ]
    assert changes("id,z,y\n1,a,0\n2,b,1\n") == ["+ feature z, new upstream", "- feature x, gone upstream"]


def test_lineage_goes_through_the_slots_of_a_real_champion(project, first):
    champion = snapshot(project).champion("classes")
    assert champion.signature.slots == ("x",)
    vector = "ml_model.classes:vector"
    found = lineage(Request(project), "rows.x", "downstream")
    assert found.versions == {vector: champion.version}
    assert [ref for ref, _ in found.steps[ColumnRef("ml_model.classes", "x")]] == [ColumnRef(vector, "x")]
    # Written again once the build has made a champion.
    manifest = json.loads((project / "target" / "manifest.json").read_text(encoding="utf-8"))
    traced = manifest["nodes"]["ml_model.classes"]["lineage"]
    assert traced["slots"] == {"x": {"value": [["ml_model.classes", "x"]]}}
    assert traced["slots_of_version"] == champion.version
