"""Every word of the registry: declared in YAML, fitted, saved, loaded without sqlml, and equal to Spark ML."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys

import pyspark.ml.feature
import pytest
import yaml

from sqlml.compile import compile_dag
from sqlml.ir.dag import MlNode
from sqlml.ir.feature_stages import FEATURE_STAGES, NOT_A_WORD
from sqlml.ir.spark_params import spark_params
from sqlml.ir.transforms import entry_stages
from sqlml.ir.words import WORDS
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score
from tests.spark.ml.words.cases import CASES

TOLERANCE = 1e-9

ROWS = """
with noise as (
  select id, pmod(xxhash64(id, 1), 1000) / 100.0d as v, pmod(xxhash64(id, 2), 1000) / 100.0d as y,
         pmod(xxhash64(id, 4), 100) as c, transform(sequence(10, 21), k -> pmod(xxhash64(id, k), 100)) as h
  from range(0, 500)
)
select id, if(id % 11 = 0, null, if(id % 13 = 0, double('NaN'), v)) as x, y, cast(y as int) as n,
       if(id % 17 = 0, null, id % 3 = 0) as flag, pmod(xxhash64(id, 9), 1000) / 100.0d as id_noise,
       case when c < 5 then null when c < 8 then '' when c < 60 then 'red' when c < 85 then "it's green"
            when c < 93 then 'blue' else concat('rare ', c) end as colour,
       if(h[0] < 5, null, concat_ws(' ', 'The', if(h[0] < 80, 'late', null), if(h[1] < 60, 'gate', null),
         if(h[2] < 45, 'snow', null), if(h[3] < 35, 'wind', null), if(h[4] < 27, 'fog', null),
         if(h[5] < 20, 'crew', null), if(h[6] < 14, 'ice', null), if(h[7] < 9, 'bag', null),
         if(h[8] < 6, 'fuel', null), if(h[9] < 4, 'slot', null), if(h[10] < 2, 'rain', null))) as remarks,
       if(h[1] < 5, null, array(if(h[2] < 80, 't1', null), if(h[3] < 50, 't2', 't5'), if(h[4] < 30, 't3', 't1'),
         if(h[5] < 10, 't4', null))) as tags,
       array(cast(c % 3 as double), y) as a, timestamp '2024-01-01' + make_dt_interval(0, id, 7) as at,
       3 * v - y + if(c < 60, 5, 0) as amount, v > 5.2 as late
from noise
"""

# Rows as those of the fit, one without any value, one with what no training row has, and one each of NaN and infinity.
NEW_ROWS = """
select * from {rows} where id < 3 union all
select -1, null, null, null, null, null, null, null, null, null, null, null, null union all
select -2, 1e6, -1e6, -77, true, 99.5, 'never seen', 'Zebra qq  late', array('t9', null), array(17, 1e5),
       timestamp '1999-12-31 23:59:59', 0, true union all
select -3, double('NaN'), double('NaN'), 3, false, double('NaN'), 'red', 'late', array('t1'), array(1, 2.5d),
       timestamp '2024-01-01 00:00:00', 0, true union all
select -4, double('Infinity'), double('-Infinity'), 3, false, double('Infinity'), 'red', 'late', array('t1'),
       array(1, 2.5d), timestamp '2024-01-01 00:00:00', 0, true
"""

ALONE = """
import json, sys
sys.modules["sqlml"] = None
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.driver.host", "127.0.0.1")
builder = builder.config("spark.sql.codegen.wholeStage", "false").config("spark.sql.shuffle.partitions", "1")
spark = builder.getOrCreate()
rows = spark.read.parquet(sys.argv[1]).persist()
found = {}
for name, folder in json.loads(sys.argv[2]).items():
    scored = PipelineModel.load(folder).transform(rows).orderBy("id")
    columns = [vector_to_array("features").alias("f"), "prediction"]
    found[name] = [[*row.f, row.prediction] for row in scored.select(*columns).collect()]
with open(sys.argv[3], "w") as file:
    json.dump(found, file)
spark.stop()
try:
    import sqlml
except ImportError:
    print("ALONE")
"""

# A fit takes seconds and a case a part of one: several cases are features of one ML model, each with its own columns.
CASES_OF_ONE = 8
PREFIX = {case.name: f"w{number}_" for number, case in enumerate(CASES)}
# Slots that have a number for a name.
NUMBERED = re.compile(r"(dct|pca|min_hash|random_projection)_\d+")


def groups():
    """Return the name of each ML model with its cases, which have one kind of label."""
    found = {}
    for is_class in (False, True):
        cases = [case for case in CASES if case.is_class is is_class]
        for start in range(0, len(cases), CASES_OF_ONE):
            found[f"{'late' if is_class else 'amount'}_{start}"] = cases[start : start + CASES_OF_ONE]
    return found


GROUPS = groups()
MODEL = {case.name: name for name, cases in GROUPS.items() for case in cases}


# The fits of a kind of label each; the others with --long.
ALWAYS = ("amount_0", "late_0")


def marks_of(name):
    return () if name in ALWAYS else (pytest.mark.long,)


def label_of(case):
    return MODEL[case.name].partition("_")[0]


def yaml_of(name):
    label = name.partition("_")[0]
    features = ", ".join(f"{PREFIX[case.name]}{column}" for case in GROUPS[name] for column in case.features)
    entries = [f"      - {entry}" for case in GROUPS[name] for entry in entries_of(case)]
    return "\n".join(
        [
            f"  - name: {name}",
            "    training_data: ref('rows')",
            f"    estimator: {'LinearRegression' if label == 'amount' else 'LogisticRegression'}",
            "    params: {maxIter: 2, regParam: 0.1}",
            f"    label: {label}",
            "    keys: [id]",
            f"    features: [{features}]",
            "    split: {by: none}",
            "    transforms:",
            *entries,
        ]
    )


def entries_of(case):
    return [line for line in case.entries.replace("~", PREFIX[case.name]).splitlines() if line]


def wide(columns):
    """Return the columns of the rows, then a copy of them for each case that reads them."""
    copies = [f"{name} as {PREFIX[case.name]}{name}" for case in CASES for name in case.features]
    return ", ".join([*columns, *copies])


@pytest.fixture(scope="module")
def ml_models(tmp_path_factory):
    """The ML models, parsed and compiled."""
    root = tmp_path_factory.mktemp("project")
    (root / "models").mkdir()
    (root / "sqlml_project.yml").write_text("name: words\n")
    (root / "models" / "base.sql").write_text(ROWS)
    (root / "models" / "rows.sql").write_text(f"select {wide(['id', 'amount', 'late'])} from {{{{ ref('base') }}}}")
    entries = "\n".join(yaml_of(name) for name in GROUPS)
    (root / "models" / "ml.yml").write_text(f"ml_models:\n{entries}\n")
    dag = resolve_project(parse_project(ParseRequest(root)))
    compile_dag(dag, {})
    return {node.name: node.ml_model for node in dag.nodes.values() if isinstance(node, MlNode)}


@pytest.fixture(scope="module")
def base(spark):
    """The training rows. To compile what Spark makes of a query takes longer than to run it on so few."""
    usual = spark.conf.get("spark.sql.codegen.wholeStage")
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    rows = spark.sql(ROWS).repartition(1).sortWithinPartitions("id").persist()
    yield rows
    rows.unpersist()
    spark.conf.set("spark.sql.codegen.wholeStage", usual)


@pytest.fixture(scope="module")
def new_folder(spark, base, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("new") / "rows")
    spark.sql(f"select {wide(['*'])} from ({NEW_ROWS})", rows=base).coalesce(1).write.parquet(path)
    return path


@pytest.fixture(scope="module")
def new_rows(spark, new_folder):
    rows = spark.read.parquet(new_folder).persist()
    yield rows
    rows.unpersist()


@pytest.fixture(scope="module")
def fitted(request, spark, base, ml_models, tmp_path_factory):
    """By name: what the fit gave, and the folder of the fitted model; of those that are tested."""
    tests = [item for item in request.session.items if item.module is request.module and "fitted" in item.fixturenames]
    given = [item.callspec.params for item in tests]
    wanted = {params["name"] if "name" in params else MODEL[params["case"].name] for params in given}
    folder = tmp_path_factory.mktemp("fitted")
    rows = base.selectExpr(*wide(["id", "amount", "late"]).split(", "))
    return {
        name: (fit_ml_model(spark, ml_model, rows, folder / name), folder / name)
        for name, ml_model in ml_models.items()
        if name in wanted
    }


@pytest.fixture(scope="module")
def alone(fitted, new_folder, tmp_path_factory):
    """What every saved pipeline gives for the new rows, in a process that cannot import sqlml: slots and prediction."""
    folders = {name: f"{folder}/pipeline" for name, (_, folder) in fitted.items()}
    out = tmp_path_factory.mktemp("alone") / "found.json"
    done = subprocess.run(
        [sys.executable, "-c", ALONE, new_folder, json.dumps(folders), str(out)],
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "ALONE" in done.stdout
    return json.loads(out.read_text())


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=marks_of(MODEL[c.name])) for c in CASES])
def test_a_word_is_spark_mls_own(base, new_rows, fitted, alone, case):
    from pyspark.ml import Pipeline, feature
    from pyspark.ml.functions import vector_to_array

    name, prefix = MODEL[case.name], PREFIX[case.name]
    slots = fitted[name][0].signature.slots
    mine = {
        slot.replace(prefix, ""): at
        for at, slot in enumerate(slots)
        if prefix in slot or (NUMBERED.fullmatch(slot) and slot in case.slots)
    }
    assert tuple(mine) == case.slots
    training = base.selectExpr("*", f"cast({label_of(case)} as double) as label")
    by_hand = Pipeline(stages=case.by_hand(feature, prefix)).fit(training)
    new = by_hand.transform(new_rows).orderBy("id")
    expected = [row.f for row in new.select(vector_to_array("features").alias("f")).collect()]
    ours = [[row[at] for at in mine.values()] for row in alone[name]]
    assert len(ours) == len(expected) == 7
    for mine, theirs in zip(ours, expected, strict=True):
        assert mine == pytest.approx(theirs, abs=TOLERANCE, rel=TOLERANCE, nan_ok=True)


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks_of(name)) for name in GROUPS])
def test_predictions_without_sqlml_are_those_of_sqlml(spark, new_rows, fitted, alone, name):
    result, folder = fitted[name]
    scored = score(read_pipeline(folder), result.signature, new_rows, "ours_").orderBy("id")
    column = f"ours_predicted_{name.partition('_')[0]}"
    ours, theirs = [float(row[column]) for row in scored.collect()], [row[-1] for row in alone[name]]
    assert ours == pytest.approx(theirs, rel=1e-12, nan_ok=True)
    assert not any(math.isnan(prediction) for prediction in theirs[-3:])


def test_every_word_has_a_case():
    assert {case.word for case in CASES} == {word.name for word in WORDS}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_params_that_are_not_the_default_are_tried(case):
    """Two, or as many as the word's stages have."""
    given = {
        name: value for entry in entries_of(case) for name, value in yaml.safe_load(entry).get("params", {}).items()
    }
    word = next(word for word in WORDS if word.name == case.word)
    if not case.variant:
        params = {name for stage in word.stages for name in FEATURE_STAGES[stage].params}
        assert len(given) >= min(2, len(params))
    for stage in word.stages:
        for name, param in spark_params(stage).items():
            default = FEATURE_STAGES[stage].defaults.get(name, param.default)
            assert name not in given or given[name] != default


def test_every_class_of_spark_is_a_word_or_has_a_reason():
    there = {
        name
        for name in pyspark.ml.feature.__all__
        if not (name.endswith("Model") and name.removesuffix("Model") in pyspark.ml.feature.__all__)
    }
    made = {stage for word in WORDS for stage in word.stages}
    assert made == FEATURE_STAGES.keys()
    assert not made & NOT_A_WORD.keys()
    assert made | NOT_A_WORD.keys() == there


def test_every_param_of_a_stage_can_be_said(ml_models):
    for stage, entry in FEATURE_STAGES.items():
        params = {name for name, param in spark_params(stage).items() if not param.is_column}
        assert params == {*entry.params, *entry.set_by}, stage
        assert not set(entry.params) & entry.set_by.keys()
    used = {stage for ml_model in ml_models.values() for entry in ml_model.transforms for stage in entry_stages(entry)}
    assert used == FEATURE_STAGES.keys()
