"""Contracts before Spark starts: of SQL models against what they return, of ML models against their champion."""

from dataclasses import replace

import pytest

from sqlml.errors import SqlmlError, format_error
from sqlml.ir.contracts import find_differences
from sqlml.ir.state import Alias, Column

SOURCE = "{{ source('raw', 'flights') }}"
ML = """version: 2
ml_models:
  - name: late
    training_data: ref('features')
    estimator: GBTClassifier
    label: is_late
    keys: [id]
    contract: {enforced: true}
"""
FEATURES = f"select id, carrier, miles, delay > 1 as is_late from {SOURCE}"
FILES = {
    "models/features.sql": FEATURES,
    "models/ml.yml": ML,
    "models/scores.sql": "select id, probability from {{ predict('late', ref('features')) }}",
}


def refused(workshop, files, **request):
    with pytest.raises(SqlmlError) as caught:
        workshop.plan(files, **request)
    assert caught.value.exit_code == 2
    return format_error(caught.value)


@pytest.fixture
def built(workshop):
    workshop.build(FILES)
    return workshop


def test_the_first_version_sets_what_is_kept(built):
    assert built.snapshot.champion("late").version == 1
    assert not built.plan().has_work
    reordered = FEATURES.replace("id, carrier, miles", "MILES, id, upper(carrier) as carrier")
    assert built.plan({"models/features.sql": reordered}).has_work


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ("miles,", "miles, delay as humid,", "humid         -          int  feature is new"),
        ("carrier, ", "", "carrier  string     -    feature is gone"),
        ("miles,", "cast(miles as double) as miles,", "miles  int        double  feature of another type"),
    ],
)
def test_features_that_change(built, old, new, row):
    text = refused(built, {"models/features.sql": FEATURES.replace(old, new)})
    what = "ml model 'late' does not keep its contract: version 1 is its champion, which 'scores' read"
    assert text.splitlines()[0] == f"error: {what}"
    assert " ".join(row.split()) in " ".join(text.split())
    assert "--> models/ml.yml:8:5" in text
    assert "remove 'contract:', build, and write it again" in text


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ("label: is_late", "label: carrier\n    positive: AA",
         "predicted_is_late boolean - output is gone|predicted_carrier - string output is new|is_late - boolean"),
        ("GBTClassifier\n    label: is_late", "LinearRegression\n    label: miles",
         "predicted_is_late boolean - output is gone|probability double - output is gone|predicted_miles - double"),
        ("keys: [id]", "keys: [id]\n    output_prefix: m_", "output_prefix its own another outputs have other names"),
    ],
)  # fmt: skip
def test_outputs_that_change(built, old, new, rows):
    scores = {"models/scores.sql": "select * from {{ predict('late', ref('features')) }}"}
    text = " ".join(refused(built, {"models/ml.yml": ML.replace(old, new), **scores}).split())
    for row in rows.split("|"):
        assert row in text


def test_the_class_of_the_probability(workshop):
    ml = ML.replace("label: is_late", "label: carrier\n    positive: AA")
    workshop.build({**FILES, "models/ml.yml": ml})
    version = workshop.snapshot.versions["late"][0]
    fitted = replace(version, signature=replace(version.signature, classes=("UA", "AA")))
    workshop.snapshot = replace(workshop.snapshot, versions={"late": (fitted,)})
    assert not workshop.plan().has_work
    text = refused(workshop, {"models/ml.yml": ml.replace("positive: AA", "positive: UA")})
    assert "class 1 AA UA another class" in " ".join(text.split())


def test_nothing_releases_a_contract_but_its_removal(built):
    wider = {"models/features.sql": FEATURES.replace("miles,", "miles, delay as humid,")}
    refused(built, wider, full_refresh=True)
    refused(built, wider, retrain=frozenset({"late"}))
    refused(built, wider, no_retrain=True)
    built.build({**wider, "models/ml.yml": ML.replace("true", "false")})
    assert built.snapshot.champion("late").version == 2
    assert not built.plan({"models/ml.yml": ML}).has_work
    refused(built, {"models/features.sql": FEATURES})


def test_a_rollback_sets_the_contract_back(built):
    wider = FEATURES.replace("miles,", "miles, delay as humid,")
    built.build({"models/features.sql": wider, "models/ml.yml": ML.replace("true", "false")})
    built.snapshot = replace(built.snapshot, aliases={"late": (Alias("champion", 1, True),)})
    assert "version 1 is its champion" in refused(built, {"models/ml.yml": ML})


def test_what_is_not_selected_is_not_held_to_its_contract(built):
    wider = {"models/features.sql": FEATURES.replace("miles,", "miles, delay as humid,")}
    assert built.plan(wider, select=("features",)).has_work
    refused(built, wider, select=("late",))


def test_a_contract_of_a_folder(workshop):
    files = {**FILES, "models/ml.yml": ML.replace("    contract: {enforced: true}\n", "")}
    folder = "name: small\nml_models:\n  +contract: {enforced: true}\n"
    workshop.build({**files, "sqlml_project.yml": folder})
    refused(workshop, {"models/features.sql": FEATURES.replace("carrier, ", "")})


DOCS = """version: 2
models:
  - name: m
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int}, {name: parsed, data_type: "struct<a: int>"}]
"""
UNKNOWN = f"""select id, from_json('{{}}', schema_of_json('{{"a":1}}')) as parsed from {SOURCE}"""


def test_what_was_built_is_held_to_a_contract_that_comes_later(workshop):
    workshop.build({"models/m.sql": UNKNOWN})
    output = workshop.snapshot.outputs["sql_model.m"]
    assert not workshop.plan({"models/docs.yml": DOCS}).has_work
    columns = (Column("id", "int"), Column("parsed", "struct<a:bigint>"))
    outputs = {**workshop.snapshot.outputs, "sql_model.m": replace(output, columns=columns)}
    workshop.snapshot = replace(workshop.snapshot, outputs=outputs)
    text = " ".join(refused(workshop, {}).split())
    assert "parsed struct<a:int> struct<a:bigint> another type --> models/docs.yml:5:58" in text
    assert not workshop.plan({"models/docs.yml": DOCS.replace("a: int", "A bigint")}).has_work


def test_a_type_that_is_unknown_fits_what_is_declared(workshop):
    compiled = workshop.compile({"models/m.sql": UNKNOWN, "models/docs.yml": DOCS})
    assert compiled.types["sql_model.m"] == ("int", None)
    assert compiled.dag.nodes["sql_model.m"].contract == (Column("id", "int"), Column("parsed", "struct<a:int>"))
    assert "other" in workshop.errors({"models/docs.yml": DOCS.replace("name: id", "name: other")})


@pytest.mark.parametrize(
    ("declared", "warned"),
    [
        ("int", None),
        ("INTEGER", None),
        ("bigint", "declared bigint, and it is int"),
        ("txt", "declared txt, and it is"),
    ],
)
def test_declared_types_are_compared_without_a_contract(workshop, declared, warned):
    docs = f"version: 2\nmodels:\n  - name: m\n    columns: [{{name: ID, data_type: {declared}}}]\n"
    compiled = workshop.compile({"models/m.sql": f"select id, miles from {SOURCE}", "models/docs.yml": docs})
    found = [found for found in compiled.diagnostics if found.code == "S005"]
    assert [warned in one.what for one in found] == ([True] if warned else [])
    assert compiled.dag.nodes["sql_model.m"].contract is None


def test_a_contract_does_not_count_for_the_fingerprint(workshop):
    docs = "version: 2\nmodels:\n  - name: m\n    columns: [{name: id, data_type: int}]\n"
    files = {"models/m.sql": f"select id from {SOURCE}", "models/docs.yml": docs}
    before = workshop.compile(files).fingerprints["sql_model.m"]
    strict = docs.replace("- name: m", "- name: m\n    config: {contract: {enforced: true}}")
    assert workshop.compile({"models/docs.yml": strict}).fingerprints["sql_model.m"] == before


def test_differences():
    promised = (Column("a", "int"), Column("b", "string"), Column("c", ""))
    assert find_differences(promised, (Column("C", "date"), Column("B", "STRING"), Column("A", "int"))) == ()
    found = find_differences(promised, (Column("a", "bigint"), Column("d", "int")))
    assert [(one.name, one.promised, one.found) for one in found] == [
        ("a", "int", "bigint"),
        ("b", "string", None),
        ("c", "", None),
        ("d", None, "int"),
    ]
    assert [one.name for one in find_differences(promised, (Column("d", ""),), is_whole=False)] == ["d"]
