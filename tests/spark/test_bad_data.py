"""Data that is not what a project says: one build of many mistakes in, each step's error as a user reads it out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sqlml.build import Request, build
from sqlml.cli import run
from sqlml.cli.progress import SilentProgress
from sqlml.errors import format_error
from sqlml.ir.results import Status

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]

ML_MODEL = "  - {{name: {name}, training_data: ref('{data}'), keys: [id], split: {{by: none}}, {rest}}}\n"
LOGISTIC = "estimator: LogisticRegression, label: y"
ML_MODELS = {
    "on_no_rows": ("no_rows", LOGISTIC),
    "on_nothing_left": ("fine", f'{LOGISTIC}, where: "x < 0"'),
    "on_one_class": ("one_class", LOGISTIC),
    "on_null_label": ("null_label", f"{LOGISTIC}, null_label: error"),
    "without_positive": ("words", LOGISTIC),
    "of_no_such_class": ("words", f"{LOGISTIC}, positive: maybe"),
    "on_a_hollow_feature": ("hollow", LOGISTIC),
    "on_a_date_label": ("dates", LOGISTIC),
    "on_infinity": ("infinite", LOGISTIC),
    "all_held_out": ("fine", f"{LOGISTIC}, split: {{by: column, column: id, holdout_values: {[*range(12)]}}}"),
}
FILES = {
    "sqlml_project.yml": "name: bad_data\n",
    "seeds/rows.csv": "id,x,y\n" + "".join(f"{number},{number},{number % 2 == 0}\n" for number in range(12)),
    "seeds/bad_seed.csv": "code,n\na,1\nb,two\n",
    "data/broken.csv": "id,at,n\n1,2024-01-01 00:00:00,1\n2,2024-01-02 00:00:00,1x\n3,nonsense,3\n",
    "data/long_row.csv": "id,n\n1,2\n3,4,5\n",
    "data/broken.json": '{"id": 1, "n": 2}\n{"id": 2, "n": "two"}\n',
    "data/odd.csv": "id||x||yes||day\n1||2||a||2024-01-01\n2||3||b||2024-01-02\n",
    "data/parts/one.csv": "id,n\n1,2\n",
    "data/parts/two.csv": "n,id\n1,2\n",
    "models/sources.yml": """version: 2
sources:
  - name: raw
    tables:
      - name: broken
        path: data/broken.csv
        columns: [{name: id, data_type: int}, {name: at, data_type: timestamp}, {name: n, data_type: int}]
      - {name: long_row, path: data/long_row.csv}
      - name: broken_json
        path: data/broken.json
        columns: [{name: id, data_type: int}, {name: n, data_type: int}]
      - {name: parts, path: data/parts}
      - {name: odd, path: data/odd.csv, options: {sep: "||"}}    # whose columns only Spark knows
seeds:
  - name: bad_seed
    columns: [{name: code, data_type: string}, {name: n, data_type: int}]
""",
    "models/fine.sql": "select id, cast(x as double) as x, y from {{ ref('rows') }}",
    "models/no_rows.sql": "select * from {{ ref('fine') }} where id < 0",
    "models/one_class.sql": "select id, x, true as y from {{ ref('fine') }}",
    "models/null_label.sql": "select id, x, if(id in (3, 4), null, y) as y from {{ ref('fine') }}",
    "models/words.sql": "select id, x, if(y, 'yes', 'no') as y from {{ ref('fine') }}",
    "models/hollow.sql": "select id, x, cast(null as double) as gone, y from {{ ref('fine') }}",
    "models/dates.sql": "select id, double(x) as x, day as y from {{ source('raw', 'odd') }}",
    "models/infinite.sql": "select id, if(x = 3, double('Infinity'), x) as x, y from {{ ref('fine') }}",
    "models/alike.sql": "select *, 1 as YES from {{ source('raw', 'odd') }}",
    "models/spans.sql": "select *, make_interval(1, 1, 1, id) as span from {{ source('raw', 'odd') }}",
    "models/division.sql": "{% set zero = 'x - x' %}\nselect\n  id,\n  {{ 'id' }} / ({{ zero }}) as share,\n"
    "  id / (id - id) as other\nfrom {{ ref('fine') }}",
    "models/division_below.sql": "select * from {{ ref('division') }}",
    "models/a_cast.sql": "select id,\n  cast(concat('a', id) as int) as number\nfrom {{ ref('fine') }}",
    "models/of_broken.sql": "select * from {{ source('raw', 'broken') }}",
    "models/of_long_row.sql": "select * from {{ source('raw', 'long_row') }}",
    "models/of_broken_json.sql": "select * from {{ source('raw', 'broken_json') }}",
    "models/of_parts.sql": "select * from {{ source('raw', 'parts') }}",
    "models/wrong_test.sql": "select * from {{ ref('fine') }}",
    "tests/failing_test.sql": "select *\nfrom {{ ref('wrong_test') }}\nwhere 1 / (id - id) > 1",
    "models/ml.yml": "version: 2\nml_models:\n"
    + "".join(ML_MODEL.format(name=name, data=data, rest=rest) for name, (data, rest) in ML_MODELS.items()),
}
FILES["models/ml.yml"] = re.sub(r", split: \{by: none\}(.*split:)", r"\1", FILES["models/ml.yml"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad data")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def results(project, warm):
    return {result.node_id: result for result in build(Request(project), SilentProgress()).results.results}


TO_LOG = "the full log is <project>/target/logs/spark.log"
COMPILED = "  fix: the compiled SQL is target/compiled/{}; " + TO_LOG
DIVISION = "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead."
WRONG_INPUT = {
    "seed.bad_seed": "seed 'bad_seed' has 'two' in column 'n', which is of type int\n"
    "  --> seeds/bad_seed.csv:1\n"
    "  fix: correct the file, or declare the column with another 'data_type:'",
    "sql_model.of_broken": "source 'raw.broken' has 'nonsense' in column 'at', which is of type timestamp, "
    "and '1x' in column 'n', which is of type int\n"
    "  --> models/sources.yml:6:15\n"
    "  fix: correct the file, or declare the column with another 'data_type:'",
    "sql_model.of_broken_json": "sql model 'of_broken_json' failed: '<project>/data/broken.json' cannot be read: "
    "Cannot parse the field name 'n' and the value two of the JSON token type VALUE_STRING to target "
    'Spark data type "INT".\n'
    "  --> models/of_broken_json.sql:1\n" + COMPILED.format("models/of_broken_json.sql"),
    "sql_model.of_long_row": "sql model 'of_long_row' failed: '<project>/data/long_row.csv' cannot be read: Malformed "
    "CSV record: 3,4,5\n  --> models/of_long_row.sql:1\n" + COMPILED.format("models/of_long_row.sql"),
    "sql_model.of_parts": "sql model 'of_parts' failed: '<project>/data/parts/two.csv' cannot be read: CSV header does "
    "not conform to the schema.\n  --> models/of_parts.sql:1\n" + COMPILED.format("models/of_parts.sql"),
    "sql_model.alike": "'alike' has the columns 'yes' and 'YES', which are the same name\n"
    "  --> models/alike.sql:1\n  fix: give one of them another name",
    "sql_model.spans": "column 'span' of 'spans' is of type interval, which no table can hold\n"
    "  --> models/spans.sql:1\n  fix: make numbers or texts of it, or say config(materialized='ephemeral')",
    "ml_model.on_no_rows": "ml model 'on_no_rows' has no rows to fit on\n"
    "  --> models/ml.yml:3:39\n  fix: look at the training data",
    "ml_model.on_nothing_left": "ml model 'on_nothing_left' has no rows to fit on\n"
    "  --> models/ml.yml:4:136\n  fix: look at the training data",
    "ml_model.on_one_class": "label 'y' of ml model 'on_one_class' has one value in the training rows: True\n"
    "  --> models/ml.yml:5:128\n  fix: a classifier needs two classes",
    "ml_model.on_null_label": "label 'y' of ml model 'on_null_label' is null in 2 rows\n"
    "  --> models/ml.yml:6:145\n  fix: leave them out by 'where:', or say null_label: drop",
    "ml_model.without_positive": "label 'y' of ml model 'without_positive' has two values and no 'positive:': 'no', "
    "'yes'\n  --> models/ml.yml:7:128\n  fix: say which one is class 1: `positive: yes` or `positive: no`",
    "ml_model.of_no_such_class": "label 'y' of ml model 'of_no_such_class' is never 'maybe', its 'positive:'\n"
    "  --> models/ml.yml:8:141\n  fix: it has: 'no', 'yes'",
    "ml_model.on_a_hollow_feature": "feature 'gone' of ml model 'on_a_hollow_feature' is null in every training row\n"
    "  --> models/ml.yml:9:48\n  fix: leave it out with features: {exclude: [gone]}",
    "ml_model.on_a_date_label": "label 'y' of ml model 'on_a_date_label' is of type date, which 'LogisticRegression' "
    "cannot learn\n  --> models/ml.yml:10:127\n  fix: make one of these of it in the SQL: tinyint, smallint, int, "
    "bigint, float, double, decimal, boolean, string, char, varchar",
    "ml_model.on_infinity": "feature 'x' of ml model 'on_infinity' is infinite in 1 training row\n"
    "  --> models/ml.yml:11:40\n  fix: make it finite in the SQL, or clip it",
    "ml_model.all_held_out": "every row of ml model 'all_held_out' is held out, none is left to fit on\n"
    "  --> models/ml.yml:12:114\n  fix: choose another 'split:', or {by: none} to evaluate on the training rows",
}
FAILED_IN_SPARK = {
    # What a Jinja expression gave is placed at its braces.
    "sql_model.division": f"sql model 'division' failed: {DIVISION}\n  --> models/division.sql:4:3\n"
    + COMPILED.format("models/division.sql"),
    "sql_model.a_cast": "sql model 'a_cast' failed: The value 'a0' of the type \"STRING\" cannot be cast to \"INT\" "
    "because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to "
    "tolerate malformed input and return NULL instead.\n  --> models/a_cast.sql:2:3\n"
    + COMPILED.format("models/a_cast.sql"),
    "sql_model.wrong_test": f"data test 'failing_test' failed to run: {DIVISION}\n  --> tests/failing_test.sql:3:7\n"
    + COMPILED.format("data_tests/failing_test.sql"),
}


def text_of(result, project):
    return format_error(result.error).replace(str(project), "<project>")


def test_there_is_a_case_for_every_error(results):
    assert {node_id for node_id, result in results.items() if result.error} == {*WRONG_INPUT, *FAILED_IN_SPARK}


@pytest.mark.parametrize("node_id", WRONG_INPUT)
def test_data_that_is_not_what_was_said_is_wrong_input(results, project, node_id):
    assert results[node_id].error.exit_code == 2
    assert text_of(results[node_id], project) == "error: " + WRONG_INPUT[node_id]


@pytest.mark.parametrize("node_id", FAILED_IN_SPARK)
def test_what_spark_cannot_run_failed(results, project, node_id):
    assert results[node_id].error.exit_code == 1
    assert text_of(results[node_id], project) == "error: " + FAILED_IN_SPARK[node_id]


def test_the_places_that_an_error_names_are_there(results, project):
    named = [
        re.findall(r"(target/compiled/\S+?);|full log is (.+)$", r.error.fix or "") for r in results.values() if r.error
    ]
    files = {file for found in named for pair in found for file in pair if file}
    assert len(files) > 5
    for file in files:
        assert (project / file).is_file()
    log = (project / "target/logs/spark.log").read_text(encoding="utf-8")
    assert "ERROR sql model 'division' failed" in log
    assert "org.apache.spark.SparkArithmeticException" in log


def test_what_stands_below_a_failure_is_skipped_and_the_rest_is_built(results):
    assert results["sql_model.division_below"].status is Status.SKIPPED
    assert results["sql_model.fine"].status is Status.SUCCESS


def test_a_failure_on_the_command_line(project, results, capsys):
    assert run(["build", "--project-dir", str(project), "--select", "division"]) == 1
    shown = capsys.readouterr()
    error = "error: " + FAILED_IN_SPARK["sql_model.division"].replace("<project>", str(project))
    line = "  4 |   {{ 'id' }} / ({{ zero }}) as share,\n    |   " + "^" * 25
    error = error.replace("division.sql:4:3\n", f"division.sql:4:3\n{line}\n")
    assert shown.err.endswith(f"\n{error}\n")
    assert re.fullmatch(
        rf"error   sql_model  division +\d+\.\d s  sql model 'division' failed: {re.escape(DIVISION)}\n"
        r"\n1 error in \d+\.\d s\n",
        shown.out,
    ), shown.out


def test_wrong_data_on_the_command_line(project, results, capsys):
    assert run(["build", "--project-dir", str(project), "--select", "on_one_class", "without_positive", "--json"]) == 2
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert document["exit_code"] == 2
    errors = {entry["node_id"]: entry["error"] for entry in document["results"]}
    assert errors == {
        name: "error: " + WRONG_INPUT[name] for name in ("ml_model.on_one_class", "ml_model.without_positive")
    }
