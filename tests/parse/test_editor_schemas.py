"""The schemas of editors: they take what sqlml reads, refuse what is broken, and say something of each key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from sqlml.compile.param_limits import find_fault
from sqlml.errors import ParseError, SqlmlError
from sqlml.ir.estimators import ESTIMATORS, NOT_HERE
from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.roles import ROLES
from sqlml.ir.spark_params import spark_params
from sqlml.ir.words import MAPPINGS, WORDS
from sqlml.parse import ParseRequest, parse_project
from sqlml.parse.editor_schemas import key_texts, project_file_schema, yaml_file_schema
from sqlml.parse.entries import KINDS
from sqlml.parse.later import LATER_KEYS
from sqlml.parse.project_specs import ProjectFileSpec
from sqlml.parse.relation_specs import Spec
from sqlml.parse.spec_entries import ENTRY_SPECS
from sqlml.parse.yaml_files import Reader, compose

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
PROJECT_FILE = project_file_schema()
YAML_FILE = yaml_file_schema()
FENCE = re.compile(r"^(<!-- project: (?P<file>\S+) -->\n)?```ya?ml\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def read(text):
    """Return what sqlml reads of a YAML text, its Jinja not rendered."""
    node = compose("it.yml", text)
    return None if node is None else Reader("it.yml", lambda text, place: text, []).entry(node).value


def faults(name, text):
    """Return what the schema of a file has against its text."""
    schema = PROJECT_FILE if Path(name).name == "sqlml_project.yml" else YAML_FILE
    return list(jsonschema.Draft7Validator(schema).iter_errors(read(text)))


def yaml_files(folder):
    """Return the YAML files of a project."""
    hidden = ("target", "warehouse", "tests", ".venv", "benchmarks")
    files = [path for ending in ("*.yml", "*.yaml") for path in folder.rglob(ending)]
    return sorted(path for path in files if not {*hidden} & {*path.relative_to(folder).parts})


VALID = [ROOT, ROOT / "sqlml" / "starter", *sorted((GOLDEN / "valid").iterdir())]


def test_every_key_of_a_file_is_there():
    assert list(ENTRY_SPECS) == list(KINDS)
    assert set(YAML_FILE["properties"]) == {"version", *KINDS}


@pytest.mark.parametrize("schema", [PROJECT_FILE, YAML_FILE], ids=["project", "yaml"])
def test_a_schema_is_one_of_draft_7(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    names = re.findall(r'"\$ref": "#/definitions/([^"]+)"', json.dumps(schema))
    assert set(names) <= set(schema["definitions"])


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_the_projects_of_this_repo_are_taken(folder):
    files = yaml_files(folder)
    assert files
    for path in files:
        assert faults(path.name, path.read_text(encoding="utf-8")) == [], path


def documented():
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]):
        for block in FENCE.finditer(page.read_text(encoding="utf-8")):
            document = yaml.safe_load(block["body"])
            # Some show a part of a file.
            is_whole = isinstance(document, dict) and set(document) <= {"version", *YAML_FILE["properties"]}
            if block["file"] or is_whole:
                name = f"{page.name}:{block['file'] or block.start()}"
                yield pytest.param(block["file"] or "models/it.yml", block["body"], id=name)


@pytest.mark.parametrize(("file", "body"), list(documented()))
def test_the_examples_of_the_documentation_are_taken(file, body):
    assert faults(file, body) == []


CASES = sorted(path.name for path in (GOLDEN / "invalid").iterdir())


def is_parsed(case):
    try:
        parse_project(ParseRequest(GOLDEN / "invalid" / case))
    except SqlmlError:
        return False
    return True


def all_faults(case):
    found = []
    for path in yaml_files(GOLDEN / "invalid" / case):
        try:
            found += faults(path.name, path.read_text(encoding="utf-8"))
        except (ParseError, UnicodeDecodeError):
            continue
    return found


REFUSED = [
    "bad_names",
    "col_param",
    "config_in_wrong_place",
    "enum_values",
    "fold_keys",
    "folder_defaults",
    "grammar_version",
    "known",
    "estimator_params",
    "estimator_roles",
    "label_missing_or_needless",
    "missing_keys",
    "ml_params",
    "ml_param_values",
    "not_supported_yet_estimator",
    "not_supported_yet_keys",
    "project_without_name",
    "shares_out_of_range",
    "split_keys",
    "training_data_not_a_ref",
    "transform_params",
    "tune_keys",
    "tune_values",
    "unknown_data_test",
    "unknown_estimator",
    "unknown_key",
    "unknown_top_key",
    "wrong_types",
    "yes_is_true",
]


@pytest.mark.parametrize("case", REFUSED)
def test_broken_yaml_is_refused(case):
    assert all_faults(case)


@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED and is_parsed(case)])
def test_what_an_editor_cannot_know_is_taken(case):
    assert all_faults(case) == []


def one_ml_model(**keys):
    """Return a file with one ML model; a key that is None is left out."""
    entry = {"name": "m", "training_data": "ref('t')", "label": "y", **keys}
    return {"ml_models": [{key: value for key, value in entry.items() if value is not None}]}


def is_taken(document):
    return jsonschema.Draft7Validator(YAML_FILE).is_valid(document)


@pytest.mark.parametrize(
    ("keys", "is_valid"),
    [
        ({"estimator": "LinearRegression", "params": {"solver": "normal"}}, True),
        ({"estimator": "LinearRegression", "params": {"solver": "foo"}}, False),
        ({"estimator": "LinearRegression", "params": {"solver": "{{ var('solver') }}"}}, True),
        ({"estimator": "LinearRegression", "params": "{{ var('params') }}"}, True),
        ({"estimator": "{{ var('estimator') }}", "params": {"anything": 1}}, True),
        ({"estimator": "LinearRegression", "params": {"maxDepth": 3}}, False),
        ({"estimator": "LinearRegression", "gates": [{"metric": "rmse", "at_most": 1}]}, True),
        ({"estimator": "LinearRegression", "gates": [{"metric": "areaUnderROC", "at_least": 0.5}]}, False),
        ({"estimator": "LinearRegression", "threshold": 0.5}, False),
        ({"estimator": "GBTClassifier", "threshold": 0.5, "features": ["x"], "keys": "id"}, True),
        ({"estimator": "GBTClassifier", "features": {"include": ["x"], "exclude": "y"}}, True),
        ({"estimator": "GBTClassifier", "features": {"except": ["x"]}}, False),
        ({"estimator": "GBTClassifier", "retrain": {"when": "changed", "at_most_every": "7d"}}, True),
        ({"estimator": "GBTClassifier", "retrain": {"when": "changed", "at_most_every": "7 days"}}, False),
        ({"estimator": "GBTClassifier", "diagnostics": {"L004": "ignore"}}, True),
        ({"estimator": "GBTClassifier", "diagnostics": {"L999": "ignore"}}, False),
        ({"estimator": "KMeans"}, False),
        ({"estimator": "KMeans", "label": None}, True),
        ({"estimator": "KMeans", "label": None, "params": {"k": 1}}, False),
    ],
)  # fmt: skip
def test_an_ml_model(keys, is_valid):
    assert is_taken(one_ml_model(**keys)) is is_valid


@pytest.mark.parametrize(
    ("words", "is_valid"),
    [
        ({"impute": "median", "params": {"relativeError": 0.1}}, True),
        ({"impute": "median", "params": {"relativeError": 2}}, False),
        ({"impute": 0, "params": {"relativeError": 0.1}}, False),
        ({"impute": "{{ var('how') }}", "params": {"relativeError": 0.1}}, True),
        ({"scale": "robust", "params": {"withCentering": True, "lower": 0.1}}, True),
        ({"scale": "standard", "params": {"withCentering": True}}, False),
        ({"scale": "standard", "params": {"withCentring": True}}, False),
        ({"encode": "index", "unseen": None}, True),
        ({"encode": "index", "unseen": "null"}, True),
        ({"encode": "index", "unseen": "nothing"}, False),
        ({"unseen": "error"}, False),
        ({"scale": "none", "max_categories": 3}, False),
        ({"clip": [None, 3]}, True),
        ({"clip": [3]}, False),
        ({"expand": "polynomial", "params": {"degree": 3}}, True),
        ({"expand": "dct", "params": {"degree": 3}}, False),
        ({"select": {"univariate": 3}, "params": {"selectionMode": "fpr"}}, True),
        ({"select": {"variance": 3}, "params": {"selectionMode": "fpr"}}, False),
        ({"near": {"min_hash": 3}, "text": "counts", "params": {"seed": 7, "vocabSize": 12}}, True),
    ],
)  # fmt: skip
def test_a_transform(words, is_valid):
    entry = {"columns": "x", **words}
    assert is_taken(one_ml_model(estimator="GBTClassifier", transforms=[entry])) is is_valid


def test_every_param_of_a_word_is_offered():
    for stage, entry in FEATURE_STAGES.items():
        word = next(word for word in WORDS if stage in word.stages)
        value = {word.choice: 1} if word.key in MAPPINGS else word.choice or 1
        for name in entry.params:
            default = entry.defaults.get(name, spark_params(stage)[name].default)
            words = {"columns": "x", word.key: value, "params": {name: default}}
            if default is not None:
                assert is_taken(one_ml_model(estimator="GBTClassifier", transforms=[words])), (stage, name)


@pytest.mark.parametrize(
    ("folders", "is_valid"),
    [
        ({"+materialized": "view", "staging": {"+tags": "a", "deep": {"+enabled": False}}}, True),
        ({"staging": {"+contract": {"enforced": True}}}, True),
        ({"+materialised": "view"}, False),
        ({"staging": {"+materialised": "view"}}, False),
        ({"staging": {"materialized": "view"}}, False),
        ({"staging": {"+materialized": "virtual"}}, False),
        ({"staging": {"+contract": {"enforced": "maybe"}}}, False),
    ],
)
def test_defaults_by_folder(folders, is_valid):
    document = {"name": "shop", "models": folders}
    assert jsonschema.Draft7Validator(PROJECT_FILE).is_valid(document) is is_valid


VALUES = [
    -1,
    0,
    1,
    2,
    30,
    31,
    2**31,
    2**63,
    0.5,
    1.5,
    True,
    "",
    "auto",
    "AUTO",
    "foo",
    "0.5",
    "12",
    [],
    [0.5],
    [1, 2],
    ["a"],
    {"x": 0, "colour=red": [1, 2.5]},
    {"x": "few"},
    {"x": []},
]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_params_are_judged_as_the_compiler_does(estimator):
    entry = ESTIMATORS[estimator]
    roles = {"label": None} | {key: key for key in entry.roles if ROLES[key].is_needed}
    beside = {"classifier": "LinearSVC"} if "classifier" in entry.own_params else {}
    for name, param in spark_params(estimator).items():
        if param.is_column or param.type == "any" or name in entry.refused_params:
            continue
        for value in [*VALUES, *param.limits.values]:
            document = one_ml_model(estimator=estimator, params={name: value, **beside}, **roles)
            fault = find_fault(param, value)
            if fault is None or not param.limits.rule:
                assert is_taken(document) is (fault is None), (name, value)


def test_params_that_sqlml_adds_to_sparks_or_refuses():
    network = {"estimator": "MultilayerPerceptronClassifier"}
    assert is_taken(one_ml_model(**network, params={"hiddenLayers": [4, 3], "maxIter": 5}))
    assert not is_taken(one_ml_model(**network, params={"hiddenLayers": [0]}))
    assert not is_taken(one_ml_model(**network, params={"layers": [4, 3]}))
    many = {"estimator": "OneVsRest"}
    assert is_taken(one_ml_model(**many, params={"classifier": "LinearSVC", "regParam": 0.1, "parallelism": 2}))
    assert not is_taken(one_ml_model(**many, params={"classifier": "LinearSVC", "maxDepth": 2}))
    assert not is_taken(one_ml_model(**many, params={"classifier": "OneVsRest"}))
    assert not is_taken(one_ml_model(**many, params={"regParam": 0.1}))


def specs(kind=Spec):
    for child in kind.__subclasses__():
        yield child
        yield from specs(child)


@pytest.mark.parametrize("spec", sorted(set(specs()), key=lambda spec: spec.__name__), ids=lambda spec: spec.__name__)
def test_something_is_said_of_each_key_and_of_no_other(spec):
    keys = {field.alias or name for name, field in spec.model_fields.items()}
    assert set(key_texts(spec)) == keys
    assert all(text.endswith(".") for text in key_texts(spec).values())


def test_what_is_not_supported_yet_is_not_completed():
    for path in LATER_KEYS:
        area, _, key = path.rpartition(".")
        schema = {"ml_models": "MlModelSpec", "models": "SqlModelSpec", "sources.tables": "SourceTableSpec"}.get(area)
        if schema:
            assert key not in YAML_FILE["definitions"][schema]["properties"], path
    assert not set(NOT_HERE) & set(json.dumps(YAML_FILE).split('"'))
    assert set(PROJECT_FILE["properties"]) == {
        field.alias or key for key, field in ProjectFileSpec.model_fields.items()
    }
