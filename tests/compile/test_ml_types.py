"""Types of ML models before Spark starts: roles, transforms and splits, signatures, predictions and champions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sqlml.errors import SqlmlError, format_error
from sqlml.ir.signatures import compare_features
from sqlml.ir.state import Column

SOURCE = "{{ source('raw', 'flights') }}"
TRAINING = f"select id, carrier, miles, delay, delay > 15 as is_late, ts from {SOURCE}"
ODD = (
    f"select id, miles, delay > 15 as is_late, ts, date(ts) as day, map('a', miles) as m, struct(miles) as s, "
    f"array(carrier) as names, array(miles, delay) as numbers, cast(miles as decimal(9,2)) as cost from {SOURCE}"
)


LOGISTIC = "LogisticRegression"


def spec(estimator=LOGISTIC, **keys):
    given = {"label": "is_late", "keys": "[id]", "features": "[miles, carrier]", **keys}
    lines = [f"    {key}: {value}\n" for key, value in given.items() if value is not None]
    head = "version: 2\nml_models:\n  - name: late\n    training_data: ref('f')\n"
    return f"{head}    estimator: {estimator}\n{''.join(lines)}"


@pytest.fixture
def compile_it(workshop):
    """Return a function that compiles an ML model on the SQL of `f`."""

    def run(sql=TRAINING, estimator=LOGISTIC, files=None, **keys):
        return workshop.compile({"models/f.sql": sql, "models/ml.yml": spec(estimator, **keys), **(files or {})})

    return run


@pytest.mark.parametrize(
    ("sql", "estimator", "keys", "expected"),
    [
        # the label and its positive value
        (TRAINING, LOGISTIC, {"label": "ts"}, "of type timestamp, which 'LogisticRegression' cannot"),
        (TRAINING, "LinearRegression", {}, "label 'is_late'|of type boolean, which 'LinearRegression' cannot|ml.yml:6"),
        (TRAINING, "GBTClassifier", {"label": "carrier", "features": "[miles]"},
         "no 'positive:'|which value is class 1"),
        (TRAINING, LOGISTIC, {"positive": "late"}, "of type boolean and is never 'late'|positive: true"),
        (TRAINING, LOGISTIC, {"label": "carrier", "features": "[miles]", "positive": "yes"}, "never True|YAML"),
        (TRAINING, LOGISTIC, {"label": "delay", "positive": "late"}, "of type int and is never 'late'|number"),
        # other columns with a role, keys
        (TRAINING, LOGISTIC, {"weight": "ts"}, "weight 'ts'|of type timestamp, which is no number"),
        (ODD, LOGISTIC, {"keys": "[m]", "features": "[miles]"}, "key 'm'|map<string,int>"),
        # splits
        (TRAINING, LOGISTIC, {"split": "{by: time, column: delay}"}, "split by time 'delay'|of type int"),
        (TRAINING, LOGISTIC, {"event_time": "delay"}, "split by time 'delay'|of type int|ml.yml:9"),
        (ODD, LOGISTIC, {"split": "{by: hash, column: m}", "features": "[miles]"}, "hash 'm'|be hashed"),
        (TRAINING, LOGISTIC, {"split": "{by: column, column: miles, holdout_values: [far, 5]}"}, "never 'far'"),
        (TRAINING, LOGISTIC, {"split": "{by: column, column: is_late, holdout_values: [late]}"}, "never 'late'"),
        # features
        (ODD, LOGISTIC, {"features": "[ts]"}, "feature 'ts' is of type timestamp|hour(ts)"),
        (ODD, LOGISTIC, {"features": "[day]"}, "feature 'day' is of type date|month(day)"),
        (ODD, LOGISTIC, {"features": "[m]"}, "feature 'm' is of type map<string,int>"),
        (ODD, LOGISTIC, {"features": "[s]"}, "feature 's' is of type struct<miles:int>"),
        (ODD, LOGISTIC, {"features": "[miles, names]"}, "feature 'names' is of type array<string>"),
        (TRAINING, LOGISTIC, {"transforms": "[{columns: [miles], impute: far}]"}, "impute: far' does not|int"),
        (TRAINING, LOGISTIC, {"transforms": "[{columns: [carrier], scale: standard}]"}, "does not fit 'carrier'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_its_type(compile_it, sql, estimator, keys, expected):
    with pytest.raises(SqlmlError) as caught:
        compile_it(sql, estimator, **keys)
    text = format_error(caught.value)
    for part in expected.split("|"):
        assert part in text
    assert text.count("error:") == 1


def test_all_come_together(compile_it):
    with pytest.raises(SqlmlError) as caught:
        compile_it(ODD, label="day", weight="ts", features="[m, s, miles]")
    assert format_error(caught.value).count("error:") == 4


@pytest.mark.parametrize(
    "keys",
    [
        {"features": "[miles, numbers, cost]"},
        {"weight": "cost", "features": "[miles]"},
        {"label": "cost", "features": "[miles]", "positive": '"1.5"'},
        {"features": "[miles]", "split": "{by: column, column: miles, holdout_values: [5, '6', null]}"},
        {"features": "[miles]", "split": "{by: time, column: day}"},
        {"features": "[miles]", "split": "{by: column, column: day, holdout_values: ['2013-01-01']}"},
        {"features": "[miles]", "split": "{by: column, column: is_late, holdout_values: [true]}"},
    ],
)
def test_what_fits(compile_it, keys):
    assert compile_it(ODD, **keys).features["ml_model.late"]


def test_nothing_is_said_of_an_unknown_type(compile_it, workshop):
    workshop.write({"data/odd.csv": "id,x,y,is_late\n1,1e3,10:00,+2013-01-01\n", "models/odd.yml": ODD_SOURCE})
    keys = {"weight": "x", "features": "[y]", "transforms": "[{columns: [y], scale: standard}]", "event_time": "y2"}
    sql = "select *, y as y2 from {{ source('odd', 'odd') }}"
    compiled = compile_it(sql, **keys)
    assert compiled.types["sql_model.f"] == ("int", None, None, None, None)
    assert compiled.transforms["ml_model.late"] == ()
    signature = compiled.signatures["ml_model.late"]
    assert (signature.features, signature.label) == ((Column("y", ""),), Column("is_late", ""))
    files = {
        "models/s.sql": "select * from {{ predict('late', ref('g')) }}",
        "models/g.sql": "select 'a' as y, 1 as id",
    }
    assert compile_it(sql, files=files, **keys).columns["sql_model.s"] is None


ODD_SOURCE = "version: 2\nsources: [{name: odd, tables: [{name: odd, path: data/odd.csv}]}]\n"


def test_signature_and_transforms(compile_it):
    compiled = compile_it(estimator="GBTClassifier", features="{exclude: [ts]}")
    signature = compiled.signatures["ml_model.late"]
    assert signature.features == (Column("carrier", "string"), Column("miles", "int"), Column("delay", "int"))
    assert signature.label == Column("is_late", "boolean")
    assert [(column.name, column.type) for column in signature.outputs] == [
        ("predicted_is_late", "boolean"),
        ("probability", "double"),
    ]
    assert signature.has_all_outputs
    described = [transform.describe() for transform in compiled.transforms["ml_model.late"]]
    assert [text.partition(":")[0] for text in described] == ["carrier (string)", "miles (int)", "delay (int)"]


@pytest.mark.parametrize(
    ("scored", "misfit"),
    [
        ("select id, carrier, miles from {{ ref('f') }}", None),
        ("select id, carrier, cast(miles as bigint) as MILES from {{ ref('f') }}", None),
        ("select id, cast(null as string) as carrier, 1Y as miles from {{ ref('f') }}", None),
        ("select id, 1 as carrier, miles from {{ ref('f') }}", "has 'carrier' as int where it needs string"),
        ("select id, carrier, miles / 2 as miles from {{ ref('f') }}", "has 'miles' as double where it needs int"),
        ("select carrier from {{ ref('f') }}", "lacks 'miles' (int)"),
        ("select true as carrier from {{ ref('f') }}", "lacks 'miles' (int) and has 'carrier' as boolean where it"),
    ],
)
def test_what_predict_is_given(compile_it, scored, misfit):
    files = {"models/today.sql": scored, "models/s.sql": "select 1 as one\nfrom {{ predict('late', ref('today')) }}"}
    if misfit is None:
        compile_it(files=files)
        return
    with pytest.raises(SqlmlError) as caught:
        compile_it(files=files)
    text = format_error(caught.value)
    assert f"predict('late', …) does not fit 'today', which {misfit}" in text
    assert "--> models/s.sql:2" in text
    assert "'today', or build both relations from one SQL model" in text


def champion(workshop, *features):
    """Make the champion have been fitted on `features`."""
    version = workshop.snapshot.champion("late")
    version = replace(version, signature=replace(version.signature, features=features))
    workshop.snapshot = replace(workshop.snapshot, versions={"late": (version,)})


FILES = {"models/f.sql": TRAINING, "models/s.sql": "select id\nfrom {{ predict('late', ref('f')) }}"}


def test_a_prediction_that_the_champion_cannot_make(workshop):
    workshop.build({**FILES, "models/ml.yml": spec(retrain="{when: asked}")})
    champion(workshop, Column("miles", "int"), Column("plane", "string"), Column("carrier", "int"))
    # Nothing reads it yet.
    workshop.plan()
    with pytest.raises(SqlmlError) as caught:
        workshop.plan({"models/s.sql": "select id, 1 as one\nfrom {{ predict('late', ref('f')) }}"})
    assert format_error(caught.value) == (
        "error: predict('late', …) scores with version 1, the champion: 'f' lacks 'plane' (string) and has 'carrier' "
        "as string where it needs int\n  --> models/s.sql:2:6\n"
        "  fix: train it again with --retrain late, promote a version that fits, or change the SQL of 'f'"
    )
    # A fit of this build may give another champion.
    workshop.plan(retrain=frozenset({"late"}))


def test_a_champion_is_held_against_what_was_built(workshop):
    workshop.build({**FILES, "models/ml.yml": spec(retrain="{when: asked}")})
    champion(workshop, Column("miles", "int"), Column("carrier", "string"))
    changed = {
        "models/f.sql": TRAINING.replace("miles,", "string(miles) as miles,"),
        "models/s.sql": "select id, 1 as one\nfrom {{ predict('late', ref('f')) }}",
    }
    with pytest.raises(SqlmlError, match="has 'miles' as string where it needs int"):
        workshop.plan(changed)
    # `f` stays as it was built, with columns that nobody knows here.
    workshop.plan(changed, select=("s",))


def test_changes_since_the_champion():
    was = (Column("a", "int"), Column("B", "string"), Column("gone", "int"), Column("left_out", "int"), Column("u", ""))
    now = (
        Column("b", "string"),
        Column("A", "double"),
        Column("new", "int"),
        Column("mine", "int"),
        Column("U", "int"),
    )
    changes = compare_features(was, now, ["MINE", "b"], ["a", "b", "new", "mine", "left_out", "u"])
    assert [str(change) for change in changes] == [
        "~ feature A: int -> double",
        "+ feature new, new upstream",
        "+ feature mine, new in the spec",
        "- feature gone, gone upstream",
        "- feature left_out, no feature any more",
    ]
