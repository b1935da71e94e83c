"""`sqlml lineage` and `sqlml compile --json` through the command line; no JVM."""

from __future__ import annotations

import json

import pytest

from sqlml.cli import run

FILES = {
    "sqlml_project.yml": "name: small\n",
    "seeds/flights.csv": "id,miles,delay\n1,100,5\n",
    "models/stg.sql": "select id as number, delay from {{ ref('flights') }} where miles > 10\n",
    "models/f.sql": "select number, delay > 15 as is_late, avg(delay) over (order by number) as mean "
    "from {{ ref('stg') }}\n",
    "models/ml.yml": "version: 2\nseeds:\n  - name: flights\n    columns: [{name: delay, known: after}]\n"
    "ml_models:\n  - name: late\n    training_data: ref('f')\n    estimator: LogisticRegression\n    label: is_late\n"
    "    positive: true\n    keys: [number]\n",
}


@pytest.fixture
def sqlml(tmp_path, capsys):
    """Run a command in a small project and return exit code, stdout and stderr."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def command(*arguments):
        code = run([*arguments, "--project-dir", str(tmp_path)])
        return code, *capsys.readouterr()

    command.root = tmp_path
    return command


def test_a_column_as_a_tree(sqlml):
    assert sqlml("lineage", "late.mean") == (
        0,
        "late.mean\n"
        "  <- f.mean\n"
        "    <- stg.delay  (other rows)\n"
        "      <- flights.delay\n"
        "      rows by flights.miles\n"
        "    rows by stg.number\n",
        "",
    )


def test_downstream_and_a_whole_node(sqlml):
    code, out, _ = sqlml("lineage", "flights", "--downstream")
    assert code == 0
    assert out == (
        "flights.id\n  -> stg.number\n    -> f.number\n    decides rows of f.mean\n"
        "flights.miles\n  decides rows of stg.number, stg.delay\n"
        "flights.delay\n  -> stg.delay\n    -> f.is_late\n      -> late.is_late\n"
        "    -> f.mean  (other rows)\n      -> late.mean\n        -> late[mean]\n"
    )


def test_json_dot_and_mermaid(sqlml):
    code, out, _ = sqlml("lineage", "STG.number".lower(), "--format", "json")
    assert code == 0
    document = json.loads(out)
    assert document == json.loads(sqlml("lineage", "stg.number", "--json")[1])
    assert document["columns"] == [["sql_model.stg", "number"]]
    assert document["edges"] == [
        {"from": ["seed.flights", "id"], "to": ["sql_model.stg", "number"], "kind": "value", "is_copy": True},
        {"from": ["seed.flights", "miles"], "to": ["sql_model.stg", "number"], "kind": "filter", "is_copy": False},
    ]
    out = sqlml("lineage", "stg.number", "--format", "dot")[1]
    assert '"seed.flights.id" -> "sql_model.stg.number";' in out
    assert '"seed.flights.miles" -> "sql_model.stg.number" [label="filter", style=dashed];' in out
    out = sqlml("lineage", "stg.number", "--format", "mermaid")[1]
    assert out.startswith('flowchart LR\n  subgraph n0["stg"]\n    c0["number"]\n  end\n')
    assert "  c1 --> c0\n" in out


@pytest.fixture
def scored(sqlml):
    """Let the project predict, and have a category."""
    texts = {
        "seeds/flights.csv": "id,miles,delay,carrier\n1,100,5,AA\n",
        "models/stg.sql": "select id as number, delay, miles, carrier from {{ ref('flights') }}",
        "models/f.sql": "select number, carrier, delay > 15 as is_late, miles as mean from {{ ref('stg') }}",
        "models/scores.sql": "select probability from {{ predict('late', ref('stg_mean')) }}",
        "models/stg_mean.sql": "select carrier, miles as mean from {{ ref('stg') }}",
    }
    for name, text in texts.items():
        (sqlml.root / name).write_text(text, encoding="utf-8")
    return sqlml


def test_through_an_ml_model_as_a_tree(scored):
    code, out, _ = scored("lineage", "scores.probability")
    assert code == 0
    assert out == (
        "scores.probability\n"
        "  <- prediction.late.stg_mean.probability\n"
        "    <- prediction.late.stg_mean[carrier=*]\n"
        "      <- stg_mean.carrier\n"
        "        <- stg.carrier\n"
        "          <- flights.carrier\n"
        "    <- prediction.late.stg_mean[mean]\n"
        "      <- stg_mean.mean\n"
        "        <- stg.miles\n"
        "          <- flights.miles\n"
        "    <- late[carrier=*]  (learnt in the fit)\n"
        "      <- late.carrier\n"
        "        <- f.carrier\n"
        "          <- stg.carrier\n"
        "            (as above)\n"
        "    <- late[mean]  (learnt in the fit)\n"
        "      <- late.mean\n"
        "        <- f.mean\n"
        "          <- stg.miles\n"
        "            (as above)\n"
        "    <- late.is_late  (learnt in the fit)\n"
        "      <- f.is_late\n"
        "        <- stg.delay\n"
        "          <- flights.delay\n"
    )


def test_from_a_slot(scored):
    assert scored("lineage", "late[carrier=*]", "--downstream") == (
        0,
        "late[carrier=*]\n"
        "  -> prediction.late.stg_mean.predicted_is_late  (learnt in the fit)\n"
        "  -> prediction.late.stg_mean.probability  (learnt in the fit)\n"
        "    -> scores.probability\n",
        "",
    )


def test_through_an_ml_model_as_json_and_graphs(scored):
    document = json.loads(scored("lineage", "scores.probability", "--json")[1])
    vector, training = "prediction.late.stg_mean:vector", "ml_model.late:vector"
    assert document["versions"] == {vector: None, training: None}
    edges = [(*edge["from"], *edge["to"], edge["kind"]) for edge in document["edges"]]
    assert ("sql_model.stg_mean", "carrier", vector, "carrier=*", "value") in edges
    assert (vector, "carrier=*", "prediction.late.stg_mean", "probability", "value") in edges
    assert ("ml_model.late", "carrier", training, "carrier=*", "value") in edges
    assert (training, "carrier=*", "prediction.late.stg_mean", "probability", "fit") in edges
    out = scored("lineage", "scores.probability", "--format", "dot")[1]
    assert f'"{vector}.carrier=*" [label="carrier=*"];' in out
    assert 'label="prediction.late.stg_mean: feature vector";' in out
    out = scored("lineage", "scores.probability", "--format", "mermaid")[1]
    assert '["prediction.late.stg_mean: feature vector"]\n    c2["carrier=*"]\n' in out
    assert "  c2 --> c1\n" in out


def test_slots_in_the_manifest(scored):
    assert scored("compile")[0] == 0
    manifest = json.loads((scored.root / "target" / "manifest.json").read_text(encoding="utf-8"))
    lineage = manifest["nodes"]["prediction.late.stg_mean"]["lineage"]
    assert lineage["slots_of_version"] is None
    assert lineage["slots"] == {
        "carrier=*": {"value": [["sql_model.stg_mean", "carrier"]]},
        "mean": {"value": [["sql_model.stg_mean", "mean"]]},
    }
    assert lineage["columns"]["probability"] == {
        "value": [["prediction.late.stg_mean:vector", "*"]],
        "fit": [["ml_model.late:vector", "*"], ["ml_model.late", "is_late"]],
    }
    assert manifest["nodes"]["ml_model.late"]["lineage"]["slots"]["mean"] == {"value": [["ml_model.late", "mean"]]}


@pytest.mark.parametrize(
    ("name", "error", "fix"),
    [
        ("late[carrier]", "the feature vector of 'late' has no slot 'carrier'", "it has: mean"),
        ("stg[number]", "'stg' has no feature vector", "ML models and predictions have slots"),
        ("stgg.number", "there is no node 'stgg'", "did you mean 'stg'"),
        ("stgg", "there is no node 'stgg'", "did you mean 'stg'"),
        ("stg.numbr", "'stg' has no column 'numbr'", "did you mean 'number'"),
    ],
)
def test_unknown_names(sqlml, name, error, fix):
    code, out, err = sqlml("lineage", name)
    assert (code, out) == (2, "")
    assert error in err
    assert fix in err


def test_diagnostics_of_a_compiled_project(sqlml):
    code, out, err = sqlml("compile", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    (found,) = document["diagnostics"]
    assert (found["code"], found["level"], found["file"]) == ("L002", "warn", "models/ml.yml")
    assert found["range"] == {"start": {"line": 7, "column": 20}, "end": {"line": 7, "column": 28}}
    assert found["path"] == ["late.mean", "f.mean", "stg.delay", "flights.delay"]
    assert "allow_leakage: {mean: …}" in found["fix"]
    manifest = json.loads((sqlml.root / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["nodes"]["sql_model.stg"]["lineage"] == {
        "rows": [["seed.flights", "miles"]],
        "columns": {"number": {"copy": [["seed.flights", "id"]]}, "delay": {"copy": [["seed.flights", "delay"]]}},
    }
    assert [entry["code"] for entry in manifest["diagnostics"]] == ["L002"]
    _, out, err = sqlml("compile")
    assert "warning[L002]: feature 'mean'" in err
    assert "  7 |     training_data: ref('f')\n    |                    ^^^^^^^^\n" in err


def test_what_features_have_in_common_is_said_once(sqlml):
    (sqlml.root / "models" / "f.sql").write_text(
        "select number, delay > 15 as is_late, avg(delay) over (order by number) as mean, "
        "max(delay) over (order by number) as worst from {{ ref('stg') }}",
        encoding="utf-8",
    )
    code, out, err = sqlml("compile", "--json")
    found = json.loads(out)["diagnostics"]
    assert [(entry["code"], entry["path"][0]) for entry in found] == [("L002", "late.mean"), ("L002", "late.worst")]
    assert all("counts 'delay' of other rows" in entry["what"] for entry in found)
    code, out, err = sqlml("compile")
    assert code == 0
    assert err.count("warning[L002]") == 1
    assert "warning[L002]: 2 features of ml model 'late' count 'flights.delay' (known: after) of other rows" in err
    assert "  - mean <- f.mean <- stg.delay\n  - worst <- f.worst <- stg.delay\n" in err


def test_errors_of_a_project_that_is_wrong(sqlml):
    (sqlml.root / "models" / "f.sql").write_text(
        "select number, delay > 15 as is_late,\n  dellay as mean from {{ ref('stg') }}", encoding="utf-8"
    )
    code, out, err = sqlml("compile", "--json")
    assert (code, err) == (2, "")
    (found,) = json.loads(out)["diagnostics"]
    assert (found["code"], found["level"], found["file"]) == ("E300", "error", "models/f.sql")
    assert found["range"] == {"start": {"line": 2, "column": 3}, "end": {"line": 2, "column": 9}}
    assert "did you mean 'delay'" in found["fix"]
    code, out, err = sqlml("compile")
    assert (code, out) == (2, "")
    assert "  2 |   dellay as mean from {{ ref('stg') }}\n    |   ^^^^^^\n  fix:" in err
    (sqlml.root / "models" / "f.sql").write_text(
        "select number, delay > 15 as is_late, delay as mean from {{ ref('stg') }}", encoding="utf-8"
    )
    code, out, _ = sqlml("compile", "--json")
    assert code == 2
    assert [entry["code"] for entry in json.loads(out)["diagnostics"]] == ["L001"]
    code, out, err = sqlml("compile")
    assert (code, out) == (2, "")
    assert "error[L001]: ml model 'late' learns from 'mean'" in err
