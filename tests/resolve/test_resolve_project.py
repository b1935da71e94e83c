"""Project -> Dag: edges, order, config, and every way a reference can be wrong."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sqlml.errors import ErrorList, SqlmlError, format_error
from sqlml.ir.dag import MlNode, PredictionNode, SqlNode, TestNode
from sqlml.ir.location import SourceLocation
from sqlml.resolve import resolve_project


def errors_of(made):
    with pytest.raises(SqlmlError) as caught:
        resolve_project(made)
    return list(caught.value.errors) if isinstance(caught.value, ErrorList) else [caught.value]


def only_error(made):
    errors = errors_of(made)
    assert len(errors) == 1, [format_error(error) for error in errors]
    return errors[0]


CHAIN = {
    "stg": "select * from {{ source('raw', 'flights') }}",
    "features": "select * from {{ ref('stg') }} join {{ ref('carriers') }} using (c) join {{ ref('stg') }} as again",
    "scores": "select * from {{ predict('late', ref('features')) }}",
}


def test_references_become_edges_and_quoted_names(project):
    dag = resolve_project(project(CHAIN, ml={"late": "ref('features')"}, seeds=["carriers"]))
    assert list(dag.nodes) == [
        "seed.carriers",
        "source.raw.flights",
        "sql_model.stg",
        "sql_model.features",
        "ml_model.late",
        "prediction.late.features",
        "sql_model.scores",
    ]
    features = dag.nodes["sql_model.features"]
    assert isinstance(features, SqlNode)
    assert features.parents == ("sql_model.stg", "seed.carriers")
    assert features.relation == "dev__features"
    assert features.sql.text == "select * from `dev__stg` join `dev__carriers` using (c) join `dev__stg` as again"
    assert dag.nodes["sql_model.stg"].sql.text == "select * from `source__raw__flights`"
    late = dag.nodes["ml_model.late"]
    assert isinstance(late, MlNode)
    assert late.training_relation == "sql_model.features"


def test_a_prediction_is_a_node_between(project):
    sql = CHAIN | {"other": "select * from {{ predict('late', ref('features')) }} join {{ ref('features') }} using (k)"}
    dag = resolve_project(project(sql, ml={"late": "ref('features')"}, seeds=["carriers"]))
    prediction = dag.nodes["prediction.late.features"]
    assert isinstance(prediction, PredictionNode)
    assert (prediction.ml_model, prediction.scored) == ("ml_model.late", "sql_model.features")
    assert prediction.parents == ("ml_model.late", "sql_model.features")
    assert dag.nodes["sql_model.scores"].parents == ("prediction.late.features",)
    assert dag.nodes["sql_model.scores"].sql.text == "select * from `dev__predict__late__features`"
    # What is read besides being scored is a parent of its own.
    assert set(dag.nodes["sql_model.other"].parents) == {"prediction.late.features", "sql_model.features"}


def test_a_relation_scored_and_read_through_a_variable_is_a_parent(project):
    sql = {
        "x": "select 1 as k",
        "y": "{% set x = ref('x') %}select * from {{ x }} join {{ predict('m', x) }} using (k)",
    }
    dag = resolve_project(project(sql, ml={"m": "ref('x')"}))
    assert set(dag.nodes["sql_model.y"].parents) == {"sql_model.x", "prediction.m.x"}


def test_a_source_can_be_scored(project):
    sql = {"x": "select * from {{ predict('m', source('raw', 'flights')) }}"}
    dag = resolve_project(project(sql, ml={"m": "source('raw', 'flights')"}))
    assert dag.nodes["prediction.m.raw.flights"].relation == "dev__predict__m__raw__flights"


def test_the_order_does_not_depend_on_the_order_of_files(project, declare):
    tests = {
        "features": (
            declare("not_null", "a"),
            declare("relationships", "c", arguments={"to": "ref('carriers')", "field": "c"}),
        )
    }
    made = project(CHAIN, ml={"late": "ref('features')", "b": "ref('stg')"}, seeds=["carriers", "a"], tests=tests)
    first = resolve_project(made)
    rng = random.Random(7)
    for _ in range(10):
        keys = ("sources", "seeds", "sql_models", "ml_models")
        shuffled = {key: tuple(rng.sample(getattr(made, key), len(getattr(made, key)))) for key in keys}
        again = resolve_project(replace(made, **shuffled))
        assert list(again.nodes.items()) == list(first.nodes.items())


def test_macros_can_reference(project):
    macros = {"m": "{% macro flights() %}select * from {{ ref('a') }}{% endmacro %}"}
    dag = resolve_project(project({"a": "select 1 as x", "b": "{{ flights() }}"}, macros=macros))
    assert dag.nodes["sql_model.b"].parents == ("sql_model.a",)


def test_this_target_and_log(project):
    sql = {"a": "{{ log('so ' ~ this) }}\nselect '{{ target.name }}', '{{ target.schema }}', '{{ this }}'"}
    dag = resolve_project(project(sql, schema="prod"))
    assert dag.nodes["sql_model.a"].sql.text == "\nselect 'dev', 'prod', '`prod__a`'"
    assert dag.warnings == (("so `prod__a`", SourceLocation("models/a.sql", 1, 1)),)


# Config


def test_config_in_the_text_is_the_strongest_and_tags_add_up(project):
    sql = {"a": "{{ config(materialized='view', tags='own') }}\n{{ config(tags=['more', 'own']) }}select 1 as x"}
    dag = resolve_project(project(sql, config={"a": {"materialized": "ephemeral", "tags": ["daily"]}}))
    node = dag.nodes["sql_model.a"]
    assert (node.materialized, node.tags) == ("view", ("daily", "own", "more"))
    assert node.config == {"materialized": "view", "tags": ("daily", "own", "more")}
    assert node.sql.text == "\nselect 1 as x"


def test_a_table_is_the_default(project):
    assert resolve_project(project({"a": "select 1 as x"})).nodes["sql_model.a"].materialized == "table"


@pytest.mark.parametrize(
    ("call", "what", "fix"),
    [
        ("materialised='view'", "config() has no key 'materialised'", "did you mean 'materialized'?"),
        ("materialized='veiw'", "cannot be materialized as 'veiw'", "did you mean 'view'?"),
        ("materialized='incremental'", "materialized='incremental' is not supported yet", "table, view, ephemeral"),
        ("unique_key='id'", "config key 'unique_key' is not supported yet", "keys here"),
        ("severity='warn'", "config key 'severity' is not known here", "keys here"),
        ("tags=3", "takes a name or a list of names", None),
        ("enabled='no'", "takes true or false", None),
        ("'view'", "config() takes keys", "config(materialized='view')"),
    ],
)
def test_a_wrong_config_is_an_error(project, call, what, fix):
    error = only_error(project({"a": f"\n{{{{ config({call}) }}}}select 1 as x"}))
    assert what in error.what
    assert error.location == SourceLocation("models/a.sql", 2, 1)
    assert (error.location.end_line, error.location.end_column) == (2, len(f"{{{{ config({call}) }}}}") + 1)
    assert fix is None or fix in error.fix


def test_a_wrong_config_in_yaml_is_an_error(project):
    error = only_error(project({"a": "select 1 as x"}, config={"a": {"materialized": "veiw"}}))
    assert "cannot be materialized as 'veiw'" in error.what


@pytest.mark.parametrize("in_yaml", [True, False])
def test_a_disabled_sql_model_is_gone(project, declare, in_yaml):
    # Nothing that is wrong in it matters, nor its tests.
    sql = {"a": "{{ config(enabled=false) }} {{ ref('nowhere') }}" if not in_yaml else "{{ ref('nowhere') }}"}
    made = project(sql, config={"a": {"enabled": False}} if in_yaml else {}, tests={"a": (declare("unique", "x"),)})
    assert list(resolve_project(made).nodes) == ["source.raw.flights"]


@pytest.mark.parametrize("in_yaml", [True, False])
def test_reading_a_disabled_sql_model_is_an_error(project, in_yaml):
    sql = {"b": "{{ ref('z') }}", "z": "select 1 as x" if in_yaml else "{{ config(enabled=false) }}select 1 as x"}
    made = project(sql, ml={"m": "ref('z')"}, config={"z": {"enabled": False}} if in_yaml else {})
    errors = errors_of(made)
    assert [error.what for error in errors] == ["'b' reads 'z', which is disabled", "'m' reads 'z', which is disabled"]
    assert "enable 'z'" in errors[0].fix


# What is wrong


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("{{ ref('stgg') }}", "there is no SQL model or seed 'stgg'", "did you mean 'stg'?"),
        ("{{ ref('STG') }}", "there is no SQL model or seed 'STG'", "did you mean 'stg'?"),
        ("{{ ref('flights') }}", "there is no SQL model or seed 'flights'", "source('raw', 'flights')"),
        ("{{ ref('raw.flights') }}", "there is no SQL model or seed", "source('raw', 'flights')"),
        ("{{ ref('m') }}", "'m' is an ML model", "predict('m', ref('…'))"),
        ("{{ ref('m') }}", "'m' is an ML model", "ml_table('m', '…')"),
        ("{{ ref('other', 'stg') }}", "ref() of another project is not supported yet", "ref('name')"),
        ("{{ ref('stg', v=2) }}", "ref() with 'v' is not supported yet", None),
        ("{{ ref() }}", "ref() takes one name", None),
        ("{{ ref(3) }}", "a name in quotes is needed, not '3'", "ref('name')"),
        ("{{ ref(stg) }}", "'stg' is not defined", None),
        ("{{ source('rw', 'flights') }}", "there is no source 'rw'", "did you mean 'raw'?"),
        ("{{ source('raw', 'flight') }}", "source 'raw' has no table 'flight'", "did you mean 'flights'?"),
        ("{{ source('x', 'stg') }}", "there is no source 'x'", "write ref('stg')"),
        ("{{ source('raw') }}", "source() missing 1 required positional argument: 'table_name'", None),
        ("{{ predict('n', ref('stg')) }}", "there is no ML model 'n'", "there are: m"),
        ("{{ predict('stg', ref('stg')) }}", "there is no ML model 'stg'", "it is a relation"),
        ("{{ predict('m', 'stg') }}", "scores what ref() or source() returns, not 'stg'", "predict('m', ref('stg'))"),
        ("{{ predict('m', this) }}", "scores what ref() or source() returns", None),
        ("{{ predict('m', predict('m', ref('stg'))) }}", "scores what ref() or source() returns", None),
        ("{{ predict('m') }}", "predict() missing 1 required positional argument", None),
        ("{{ predict('m', ref('stgg')) }}", "there is no SQL model or seed 'stgg'", "did you mean 'stg'?"),
        (
            "{{ ml_table('m', 'roc_curv') }}",
            "ml_table('m', 'roc_curv'): there is no such table",
            "did you mean 'roc_curve'",
        ),
        ("{{ ml_table('n', 'roc_curve') }}", "there is no ML model 'n'", "there are: m"),
        ("{{ ml_table('stg', 'metrics') }}", "there is no ML model 'stg'", "it is a relation"),
        ("{{ var('dy') }}", "variable 'dy' is not set", "did you mean 'day'?"),
    ],
)
def test_a_wrong_call_is_an_error_at_its_place(project, text, what, fix):
    made = project({"stg": "select 1 as x", "a": f"select 1\n{text}"}, ml={"m": "ref('stg')"}, variables={"day": 1})
    error = only_error(made)
    assert what in error.what
    assert error.location == SourceLocation("models/a.sql", 2, text.index("{{") + 1)
    assert (error.location.end_line, error.location.end_column) == (2, text.index("}}") + 3)
    assert fix is None or fix in error.fix


def test_all_wrong_references_of_all_files_are_found_at_once(project):
    sql = {
        "a": "{{ ref('x1') }}\n{{ source('x2', 'y') }}\n{{ config(x3=1) }}\n{{ undefined }}",
        "b": "{{ predict('x4', ref('x5')) }}\n{% for _ in [1, 2] %}{{ ref('x6') }}{% endfor %}",
    }
    errors = errors_of(project(sql, ml={"m": "ref('x7')"}, singular_tests={"t": "{{ ref('x8') }}"}))
    assert [str(error.location) for error in errors] == [
        *("models/a.sql:1:1", "models/a.sql:2:1", "models/a.sql:3:1", "models/a.sql:4:1"),
        *("models/b.sql:1:1", "models/b.sql:1:1", "models/b.sql:2:22", "models/ml.yml:1", "tests/t.sql:1:1"),
    ]


@pytest.mark.parametrize("materialized", ["view", "ephemeral"])
def test_predict_may_not_stand_in_what_is_not_stored(project, materialized):
    text = f"\n{{{{ predict('m', ref('x')) }}}}{{{{ config(materialized='{materialized}') }}}}"
    error = only_error(project({"x": "select 1 as a", "y": text}, ml={"m": "ref('x')"}))
    assert f"materialized as '{materialized}'" in error.what
    assert error.location == SourceLocation("models/y.sql", 2, 1)


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("stg", "'stg' is not defined", "write training_data: ref('stg')"),
        ("ref('stgg')", "there is no SQL model or seed 'stgg'", "did you mean 'stg'?"),
        ("ref('stg'", "Jinja cannot read this", None),
        ("'stg'", "'training_data' is not a reference", "write training_data: ref('name')"),
        ("ref('stg') ~ ''", "'training_data' is not a reference", None),
        ("ref('m')", "'m' is an ML model", None),
        ("predict('m', ref('stg'))", "'predict' is not defined", None),
    ],
)
def test_wrong_training_data_is_an_error_at_its_key(project, text, what, fix):
    error = only_error(project({"stg": "select 1 as x"}, ml={"m": text}))
    assert what in error.what
    assert error.location == SourceLocation("models/ml.yml", 1)
    assert fix is None or fix in error.fix


def test_a_cycle_is_printed_with_its_places(project):
    sql = {"b": "{{ ref('a') }}", "a": "\n{{ ref('c') }}", "c": "{{ ref('b') }}"}
    error = only_error(project(sql))
    assert error.what == "these read each other in a cycle: a -> c -> b -> a"
    assert error.location == SourceLocation("models/a.sql", 2, 1)
    assert "'c' reads 'b' at models/c.sql:1:1" in error.fix


def test_every_cycle_is_reported(project):
    sql = {"a": "{{ ref('a') }}", "b": "{{ ref('c') }}", "c": "{{ ref('b') }}", "d": "{{ predict('m', ref('d')) }}"}
    errors = errors_of(project(sql, ml={"m": "ref('d')"}))
    assert {error.what.partition(": ")[2] for error in errors} == {
        "a -> a",
        "b -> c -> b",
        "m -> d -> prediction.m.d -> m",
        "prediction.m.d -> d -> prediction.m.d",
    }


def test_a_name_taken_twice_is_an_error(project):
    assert "'x' is the name of two nodes" in only_error(project({"x": "select 1 as a"}, seeds=["x"])).what
    assert "'x' is the name of two nodes" in only_error(project({"x": "select 1 as a"}, ml={"x": "ref('x')"})).what
    assert "source 'raw.a' is declared twice" in only_error(project(sources=["raw.a", "raw.a"])).what


def test_two_nodes_may_not_be_one_relation(project):
    error = only_error(project({"raw__flights": "select 1 as a"}, schema="source"))
    assert "both be the relation 'source__raw__flights'" in error.what
    error = only_error(project({"flights": "select 1 as a", "Flights": "select 1 as a"}))
    assert "would both be the relation" in error.what


# Data tests


def test_tests_follow_their_owner(project, declare):
    arguments = {"to": "ref('late')", "field": "k"}
    sql = {"early": "select 1 as k", "late": "select * from {{ ref('early') }}"}
    tests = {"early": (declare("relationships", "k", arguments=arguments), declare("not_null", "k"))}
    dag = resolve_project(project(sql, tests=tests, sources=[], singular_tests={"odd": "{{ ref('early') }}"}))
    assert list(dag.nodes) == [
        "sql_model.early",
        "test.not_null_early_k",
        "test.odd",
        "sql_model.late",
        "test.relationships_early_k__k__ref_late_",
    ]
    test = dag.nodes["test.relationships_early_k__k__ref_late_"]
    assert isinstance(test, TestNode)
    assert test.owner == "sql_model.late"
    assert test.parents == ("sql_model.early", "sql_model.late")
    assert [owned.name for owned in dag.tests_of("sql_model.early")] == ["not_null_early_k", "odd"]


def test_a_source_can_own_a_test(project, declare):
    dag = resolve_project(project(tests={"raw.flights": (declare("unique", "id", line=4),)}))
    test = dag.nodes["test.source_unique_raw_flights_id"]
    assert test.owner == "source.raw.flights"
    assert "`source__raw__flights`" in test.sql.text
    assert test.sql.locate(10) == SourceLocation("models/tests.yml", 4)


def test_equal_tests_get_names_of_their_own(project, declare):
    tests = {"a": (declare("unique", "x", where="y > 1"), declare("unique", "x", where="y > 2"))}
    dag = resolve_project(
        project({"a": "select 1 as x"}, tests=tests, singular_tests={"unique_a_x_2": "{{ ref('a') }}"})
    )
    assert [test.name for test in dag.tests_of("sql_model.a")] == ["unique_a_x", "unique_a_x_2", "unique_a_x_3"]


def test_a_singular_test_has_config_of_its_own(project):
    made = project(
        {"a": "select 1 as x"},
        singular_tests={
            "t": "{{ config(severity='warn', tags='slow') }}select * from {{ ref('a') }}",
            "off": "{{ config(enabled=false) }}{{ ref('nowhere') }}",
        },
    )
    dag = resolve_project(made)
    assert dag.nodes["test.t"].test.severity == "warn"
    assert dag.nodes["test.t"].tags == ("slow",)
    assert "test.off" not in dag.nodes


def test_a_singular_test_can_read_predictions(project):
    made = project({"x": "select 1 as a"}, ml={"m": "ref('x')"}, singular_tests={"t": "{{ predict('m', ref('x')) }}"})
    assert resolve_project(made).nodes["test.t"].owner == "prediction.m.x"


@pytest.mark.parametrize(
    ("test", "what"),
    [
        (("uniqe", "x", {}), "there is no data test 'uniqe'"),
        (("relationships", "x", {"to": "ref('b')", "field": "k"}), "there is no SQL model or seed 'b'"),
        (("relationships", "x", {"to": "b", "field": "k"}), "'b' is not defined"),
        (("relationships", "x", {"field": "k"}), "needs 'to' and 'field'"),
        (("accepted_values", "x", {"values": [None]}), "has no values"),
        (("accepted_values", "x", {"values": [float("nan")]}), "cannot be written as a value in SQL"),
        (("unique", None, {}), "needs a column"),
    ],
)
def test_a_wrong_generic_test_is_an_error(project, declare, test, what):
    kind, column, arguments = test
    tests = {"a": (declare(kind, column, line=3, arguments=arguments),)}
    error = only_error(project({"a": "select 1 as x"}, tests=tests))
    assert what in error.what
    assert error.location == SourceLocation("models/tests.yml", 3)


def test_a_singular_test_of_nothing_is_an_error(project):
    error = only_error(project({}, singular_tests={"t": "select 1"}))
    assert error.what == "data test 't' reads no node of the project"
    assert error.location == SourceLocation("tests/t.sql", 1)
