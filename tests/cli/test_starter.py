"""The starter project, built once: each command after the build, as a user meets it."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]

NEW_CUSTOMERS = """\
note,customer_id,plan,country,tickets,days_since_signup,visits_60d,minutes_60d,days_since_visit
007,1,pro,jp,0,400,12,300,2
"two, ""quoted""
lines",2,platinum,atlantis,9,30,0,0,
,3,,,,,,,
"""
ADDED = ["predicted_churned", "probability"]


@pytest.fixture
def copy(built, tmp_path) -> Path:
    """A project that a test may change; state and tables move with it."""
    return Path(shutil.copytree(built, tmp_path / "cöpy of it", symlinks=True))


@pytest.fixture
def customers(tmp_path) -> Path:
    file = tmp_path / "new customers.csv"
    file.write_text(NEW_CUSTOMERS, encoding="utf-8")
    return file


def read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_first_build(first_build, built):
    assert first_build.stderr == ""
    *steps, empty, counts = first_build.stdout.splitlines()
    assert {tuple(step.split()[:3]) for step in steps} == {
        ("success", "seed", "customers"),
        ("success", "seed", "visits"),
        ("success", "sql_model", "customer_features"),
        ("success", "ml_model", "churn"),
        ("success", "sql_model", "customers_at_risk"),
    }
    fit = next(step for step in steps if "ml_model" in step)
    assert re.search(r" \d+ rows +\d+\.\d s  version 1, areaUnderROC 0\.\d{4} on holdout$", fit)
    assert empty == ""
    assert re.fullmatch(r"5 done(, \d+ unchanged)? in \d+\.\d s", counts)
    results = json.loads((built / "target" / "run_results.json").read_text(encoding="utf-8"))
    assert results["exit_code"] == 0
    manifest = json.loads((built / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["children"]["prediction.churn.customer_features.explain=2"] == ["sql_model.customers_at_risk"]


def test_a_second_build_starts_no_spark(built, sqlml):
    log = built / "target" / "logs" / "spark.log"
    before = log.stat()
    done = sqlml("build", cwd=built)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"nothing to do: \d+ nodes are unchanged \(\d+\.\d s\)\n", done.stdout)
    assert log.stat() == before


def test_plan(shell):
    shown = shell("plan")
    assert "features of churn:" in shown
    assert re.search(r"^=  ml_model +churn +unchanged$", shown, re.MULTILINE)
    document = json.loads(shell("plan", "--json"))
    assert {step["action"] for step in document["steps"]} == {"keep"}
    assert len(document["features"]["churn"]) == 7


def test_show(shell):
    assert len(shell("show", "customer_features", "--limit", "3").splitlines()) == 4
    assert shell("show", "customer_features", "--limit", "0").split()[0] == "customer_id"
    document = json.loads(shell("show", "customers_at_risk", "--limit", "2", "--json"))
    assert document["columns"] == ["customer_id", "plan", "predicted_churned", "probability", "explanation"]
    for row in document["rows"]:
        assert row["predicted_churned"] == "yes"
        assert row["probability"] > 0.5
        first, second = row["explanation"]
        assert first.keys() == {"feature", "value", "contribution"}
        assert abs(first["contribution"]) >= abs(second["contribution"]) > 0
    assert "run: sqlml model show churn" in shell("show", "churn", code=2)
    assert "run: sqlml test --select" in shell("show", "unique_customers_customer_id", code=2)


def test_predict_a_csv(shell, customers, tmp_path):
    output = tmp_path / "a new folder" / "scored.csv"
    said = shell("predict", "churn", "--input", str(customers), "--output", str(output))
    assert said == f"scored 3 rows with churn version 1: {output}\n"
    rows = read_csv(output)
    assert list(rows[0]) == [*NEW_CUSTOMERS.splitlines()[0].split(","), *ADDED]
    # Whatever is no feature comes out as it went in.
    assert [row["note"] for row in rows] == ["007", 'two, "quoted"\nlines', ""]
    assert [row["tickets"] for row in rows] == ["0", "9", ""]
    assert [row["plan"] for row in rows] == ["pro", "platinum", ""]
    for row in rows:
        assert row["predicted_churned"] == ("yes" if float(row["probability"]) > 0.5 else "no")
    assert [path.name for path in output.parent.iterdir()] == ["scored.csv"]


def test_predict_writes_every_format_alike(shell, customers, tmp_path):
    from pyarrow import parquet

    outputs = {name: tmp_path / name for name in ("a.csv", "a.json", "a.jsonl", "folder")}
    for output in outputs.values():
        document = json.loads(
            shell(
                "predict",
                "churn",
                "--input",
                str(customers),
                "--output",
                str(output),
                "--version",
                "1",
                "--explain",
                "2",
                "--json",
            )
        )
        assert document == {"ml_model": "churn", "version": 1, "rows": 3, "unpredicted": 0, "output": str(output)}
    probabilities = [float(row["probability"]) for row in read_csv(outputs["a.csv"])]
    for name in ("a.json", "a.jsonl"):
        rows = [json.loads(line) for line in outputs[name].read_text(encoding="utf-8").splitlines()]
        assert [row["probability"] for row in rows] == probabilities
        assert rows[2]["tickets"] is None
        assert rows[2]["customer_id"] == "3"
        assert [json.loads(row["explanation"]) for row in read_csv(outputs["a.csv"])] == [
            row["explanation"] for row in rows
        ]
        assert {len(row["explanation"]) for row in rows} == {2}
        for row in rows:
            total = row["base_value"] + row["other_contributions"] + sum(x["contribution"] for x in row["explanation"])
            assert 1 / (1 + math.exp(-total)) == pytest.approx(row["probability"], abs=1e-9)
    table = parquet.read_table(outputs["folder"])
    assert table.column("probability").to_pylist() == probabilities
    # What was written is an input again, of any format; its predictions are in the way, and that is said.
    for name in ("a.jsonl", "folder"):
        given = ("--input", str(outputs[name]), "--output", str(tmp_path / "again"))
        error = shell("predict", "churn", *given, code=2)
        assert "already has 'predicted_churned', 'probability'" in error
    error = shell("predict", "churn", "--input", str(customers), "--output", "x", "--explain", "0", code=2)
    assert "0 is not in the range" in error


def test_predict_without_an_output_to_lose(shell, customers, tmp_path):
    output = tmp_path / "scored.csv"
    output.write_text("mine")
    arguments = ("predict", "churn", "--input", str(customers), "--output")
    assert shell(*arguments, str(output), code=2) == (
        f"error: '{output}' exists\n  fix: add --overwrite, or name another path\n"
    )
    assert output.read_text() == "mine"
    shell(*arguments, str(output), "--overwrite")
    assert len(read_csv(output)) == 3
    assert "is the input" in shell(*arguments, str(customers), "--overwrite", code=2)
    assert "holds the input" in shell(*arguments, str(tmp_path), "--overwrite", code=2)
    assert "is a folder with other files in it" in shell(
        *arguments, str(shell.project / "models"), "--overwrite", code=2
    )
    assert customers.read_text(encoding="utf-8") == NEW_CUSTOMERS
    assert "cannot be written" in shell(*arguments, str(output / "below.csv"), code=2)


def test_an_output_stays_when_the_input_is_wrong(shell, customers, tmp_path):
    output = tmp_path / "scored.csv"
    output.write_text("mine")
    customers.write_text(NEW_CUSTOMERS.replace("007,1,pro,jp,0", "007,1,pro,jp,none"), encoding="utf-8")
    error = shell("predict", "churn", "--input", str(customers), "--output", str(output), "--overwrite", code=2)
    assert error == (
        f"error: '{customers}' has 'none' in column 'tickets', which is of type int\n"
        "  fix: 'churn' needs it: correct the file\n"
    )
    assert output.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new customers.csv", "scored.csv"]


def test_predict_says_which_columns_are_wrong(shell, customers, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    output = str(tmp_path / "out.csv")
    customers.write_text(NEW_CUSTOMERS.replace("tickets", "tikets"), encoding="utf-8")
    error = shell("predict", "churn", "--input", str(customers), "--output", output, code=2)
    assert error.startswith("error: the input of 'churn' lacks 'tickets' (int)\n  fix: did you mean 'tikets'?")
    table = pa.table({name: pa.array([1]) for name in NEW_CUSTOMERS.splitlines()[0].split(",")})
    parquet.write_table(table, tmp_path / "typed.parquet")
    error = shell("predict", "churn", "--input", str(tmp_path / "typed.parquet"), "--output", output, code=2)
    assert error.startswith(
        "error: the input of 'churn' has 'plan' as bigint where it needs string, "
        "'country' as bigint where it needs string\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty"),
        ("latin.csv", "customer_id,café\n".encode("latin-1"), "is not a csv file in UTF-8"),
        ("notes.txt", b"a,b\n", "the format of"),
        ("broken.parquet", b"PAR1 no", "cannot be read"),
        ("broken.json", b'{"tickets": \n', "cannot be read"),
        (
            "long_row.csv",
            NEW_CUSTOMERS.splitlines(keepends=True)[0].encode() + b"1,2,3,4,5,6,7,8,9,10,11\n",
            "long_row.csv",
        ),
    ],
)
def test_predict_from_what_is_no_table(shell, tmp_path, name, content, said):
    file = tmp_path / name
    file.write_bytes(content)
    error = shell("predict", "churn", "--input", str(file), "--output", str(tmp_path / "out.csv"), code=2)
    assert error.startswith("error: ")
    assert said in error
    assert len(error.splitlines()) <= 3
    assert not (tmp_path / "out.csv").exists()


def test_predict_a_node(shell, tmp_path):
    output = tmp_path / "all.csv"
    shell("predict", "churn", "--input", "customer_features", "--output", str(output))
    scored = {row["customer_id"]: float(row["probability"]) for row in read_csv(output)}
    assert len(scored) == 400
    shown = json.loads(shell("show", "customers_at_risk", "--limit", "5", "--json"))
    for row in shown["rows"]:
        assert scored[str(row["customer_id"])] == pytest.approx(row["probability"], rel=1e-12)


def test_predict_with_names_that_are_not_there(shell, customers, tmp_path):
    output = str(tmp_path / "out.csv")
    for arguments, said in [
        (("predict", "chrun", "--input", str(customers)), "there is no ml model 'chrun'\n  fix: did you mean 'churn'"),
        (("predict", "churn", "--input", "customer_feature"), "'customer_feature' is neither a file nor a node"),
        (("predict", "churn", "--input", "x" * 400), "is neither a file nor a node"),
        (("predict", "churn", "--input", str(customers), "--version", "7"), "'7'\n  fix: there are: 1, champion"),
        (("predict", "churn", "--input", str(customers), "--version", "best"), "'churn' has no version 'best'"),
    ]:  # fmt: skip
        assert said in shell(*arguments, "--output", output, code=2)
    assert "did you mean 'customer_features'" in shell(
        "predict", "churn", "--input", "customer_feature", "--output", output, code=2
    )
    assert not Path(output).exists()


def test_nodes_that_were_not_built(copy, shell, tmp_path):
    shell.project = copy
    models = copy / "models"
    (models / "a_view.sql").write_text(
        "{{ config(materialized='view') }}\nselect *, 'x' as extra\n"
        "from {{ ref('customer_features') }} where tickets > 3"
    )
    (models / "later.sql").write_text("select * from {{ ref('a_view') }}")
    output = tmp_path / "out.csv"
    for name in ("a_view", "later"):
        for command in (("show", name), ("predict", "churn", "--input", name, "--output", str(output))):
            error = shell(*command, code=2)
            assert error.startswith(f"error: '{name}' has not been built\n  --> models/{name}.sql:1\n")
            assert f"fix: run: sqlml build --select +{name}" in error
    shell("build", "--select", "a_view")
    said = shell("predict", "churn", "--input", "a_view", "--output", str(output))
    rows = read_csv(output)
    assert said.startswith(f"scored {len(rows)} rows")
    assert {row["extra"] for row in rows} == {"x"}
    assert all(int(row["tickets"]) > 3 for row in rows)
    assert len(shell("show", "a_view", "--limit", "2").splitlines()) == 3


def test_damaged_files_are_no_bug(copy, shell):
    shell.project = copy
    (build,) = (copy / "warehouse/tables/dev/customer_features").glob("2*")
    files = list(build.glob("*.parquet"))
    for file in files:
        file.write_bytes(b"damaged")
    shown = shell("show", "customer_features", code=2)
    assert "a file in" in shown
    assert "fix: run: sqlml build --full-refresh --select customer_features" in shown
    for file in files:
        file.unlink()
    assert "'customer_features' has no files in" in shell("show", "customer_features", code=2)


def test_test(copy, shell):
    shell.project = copy
    shown = shell("test")
    assert re.search(r"^\d+ done in \d+\.\d s$", shown, re.MULTILINE)
    assert shell("test", "--select", "customers_at_risk", code=2).startswith("error: the selection has no data tests")
    (copy / "tests").mkdir()
    (copy / "tests" / "few.sql").write_text("select * from {{ ref('customer_features') }} where customer_id < 4")
    document = shell("test", "--select", "few", code=1)
    assert document == ""
    results = json.loads((copy / "target" / "run_results.json").read_text(encoding="utf-8"))
    assert [(entry["node_id"], entry["status"], entry["message"]) for entry in results["results"]] == [
        ("test.few", "fail", "3 rows failed")
    ]
    # What failed was published before and stays: a test publishes nothing.
    assert shell("show", "customer_features", "--limit", "1")


def test_versions(copy, shell):
    shell.project = copy
    listed = json.loads(shell("model", "list", "--json"))
    assert [(entry["ml_model"], entry["version"], entry["aliases"]) for entry in listed] == [
        ("churn", 1, [{"alias": "champion", "pinned": False}])
    ]
    shown = shell("model", "show", "churn")
    assert "churn version 1 (champion)" in shown
    assert re.search(r"^coefficients:\nslot +feature +coefficient$", shown, re.MULTILINE), shown
    rows = json.loads(shell("model", "show", "churn", "--json"))["tables"]["coefficients"]
    assert {(row["slot"], row["feature"]) for row in rows} >= {("plan=pro", "plan"), ("(intercept)", None)}
    assert "'churn' has had no other champion to roll back to" in shell("model", "rollback", "churn", code=2)
    shell("build", "--retrain", "churn")
    assert [entry["version"] for entry in json.loads(shell("model", "list", "--json"))] == [1, 2]
    assert "churn version 2 (champion)" in shell("model", "show", "churn")
    said = shell("model", "rollback", "churn")
    assert said.startswith("version 1 is the champion of churn now and stays it until someone promotes\n")
    assert "champion (pinned)" in shell("model", "list")
    assert "'churn' has no version '9'" in shell("model", "promote", "churn", "9", code=2)
    assert shell("model", "promote", "churn", "2").startswith("version 2 is the champion of churn now\n")
    assert json.loads(shell("model", "show", "churn", "champion", "--json"))["version"] == 2
    assert json.loads(shell("model", "rollback", "churn", "--to", "1", "--json"))["version"] == 1


def test_clean(copy, shell):
    shell.project = copy
    assert shell("clean") == f"removed {copy / 'target'}\n"
    assert not (copy / "target").exists()
    assert (copy / "warehouse").is_dir()
    assert shell("clean") == f"removed {copy / 'target'}\n"
    assert shell("build").startswith("nothing to do: ")


def test_json_is_one_document(shell, customers, tmp_path):
    for arguments in [
        ("build",),
        ("plan",),
        ("compile",),
        ("ls",),
        ("test",),
        ("show", "customers"),
        ("model", "list"),
        ("model", "show", "churn"),
        ("debug",),
        ("predict", "churn", "--input", str(customers), "--output", str(tmp_path / "x.csv")),
    ]:
        json.loads(shell(*arguments, "--json"))


def test_predict_as_a_process(built, sqlml, customers, tmp_path):
    done = sqlml("predict", "churn", "--input", str(customers), "--output", "späte r.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "sqlml_project.yml" in done.stderr
    given = ("--input", os.path.relpath(customers, built), "--output", str(tmp_path / "später.json"))
    done = sqlml("predict", "churn", *given, cwd=built)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"scored 3 rows with churn version 1: {tmp_path / 'später.json'}\n"
    assert len((tmp_path / "später.json").read_text(encoding="utf-8").splitlines()) == 3
