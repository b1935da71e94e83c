"""`--select` and `--exclude`: dbt's graph syntax."""

from __future__ import annotations

import pytest

from sqlml.errors import ResolveError
from sqlml.resolve import resolve_project, select_nodes

SQL = {
    "staging/stg_a": "{{ config(tags='daily') }}select * from {{ source('raw', 'flights') }}",
    "staging/stg_b": "{{ config(tags=['daily', 'slow']) }}select * from {{ source('raw', 'weather') }}",
    "staging/deep/stg_c": "select * from {{ ref('codes') }}",
    "features": "select * from {{ ref('stg_a') }} join {{ ref('stg_b') }}",
    "scores": "select * from {{ predict('late', ref('features')) }}",
    "report": "{{ config(tags='slow') }}select * from {{ ref('scores') }}",
}


@pytest.fixture
def dag(project, declare):
    tests = {
        "stg_a": (declare("not_null", "x"),),
        "features": (declare("relationships", "x", arguments={"to": "ref('stg_b')", "field": "y"}),),
        "raw.flights": (declare("unique", "id"),),
    }
    made = project(SQL, {"late": "ref('features')"}, ["raw.flights", "raw.weather", "web.log"], ["codes"], tests=tests)
    return resolve_project(made)


def names(dag, select=(), exclude=(), kinds=None):
    select = (select,) if isinstance(select, str) else select
    exclude = (exclude,) if isinstance(exclude, str) else exclude
    return {dag.nodes[node_id].name for node_id in select_nodes(dag, select, exclude, kinds)}


NOT_NULL, RELATED, UNIQUE = (
    "not_null_stg_a_x",
    "relationships_features_x__y__ref_stg_b_",
    "source_unique_raw_flights_id",
)
PREDICTION = "late.features"


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("report", {"report"}),
        ("stg_a", {"stg_a", NOT_NULL}),
        ("stg_b", {"stg_b", RELATED}),
        ("features", {"features", RELATED}),
        ("+stg_a", {"stg_a", "raw.flights", NOT_NULL, UNIQUE}),
        ("1+report", {"report", "scores", PREDICTION}),
        ("scores+", {"scores", "report", PREDICTION}),
        ("features+1", {"features", "late", PREDICTION, RELATED}),
        ("1+late+1", {"late", "features", PREDICTION, RELATED}),
        ("late", {"late"}),
        ("scores", {"scores", PREDICTION}),
        ("tag:slow", {"report", "stg_b", RELATED}),
        ("tag:daily,tag:slow", {"stg_b", RELATED}),
        ("tag:slow+,resource_type:sql_model", {"stg_b", "features", "scores", "report", RELATED, PREDICTION}),
        ("stg_a report", {"stg_a", "report", NOT_NULL}),
        (("stg_a", "report"), {"stg_a", "report", NOT_NULL}),
        ("stg_?", {"stg_a", "stg_b", "stg_c", NOT_NULL, RELATED}),
        ("path:models/staging/deep", {"stg_c"}),
        ("models/staging/deep/stg_c.sql", {"stg_c"}),
        ("path:./models/staging/deep/", {"stg_c"}),
        ("path:models/staging/*.sql", {"stg_a", "stg_b", NOT_NULL, RELATED}),
        ("path:models/**/stg_?.sql", {"stg_a", "stg_b", "stg_c", NOT_NULL, RELATED}),
        ("staging", {"stg_a", "stg_b", "stg_c", NOT_NULL, RELATED}),
        ("staging.deep", {"stg_c"}),
        ("staging.deep.stg_c", {"stg_c"}),
        ("resource_type:ml_model", {"late"}),
        ("resource_type:seed", {"codes"}),
        ("resource_type:test", {NOT_NULL, RELATED, UNIQUE}),
        ("resource_type:prediction", {PREDICTION}),
        ("source:raw.flights", {"raw.flights", UNIQUE}),
        ("source:raw", {"raw.flights", "raw.weather", UNIQUE}),
        ("source:web.log+", {"web.log"}),
        ("raw.weather", {"raw.weather"}),
        (NOT_NULL, {NOT_NULL}),
        ("sql_model.report", {"report"}),
    ],
)
def test_selection(dag, select, expected):
    assert names(dag, select) == expected


def test_at_has_all_that_the_descendants_need(dag):
    assert names(dag, "@stg_a") == names(dag) - {"web.log", "codes", "stg_c"}


def test_everything_is_the_default_in_the_order_of_the_graph(dag):
    assert select_nodes(dag) == tuple(dag.nodes)
    ids = list(dag.nodes)
    chosen = select_nodes(dag, ["report +features"])
    assert list(chosen) == sorted(chosen, key=ids.index)


def test_exclude_subtracts_with_its_tests(dag):
    assert names(dag, "staging", "stg_b") == {"stg_a", "stg_c", NOT_NULL}
    assert names(dag, exclude="resource_type:test") == names(dag) - {NOT_NULL, RELATED, UNIQUE}
    assert names(dag, "report", "report") == set()


def test_a_reader_keeps_its_prediction(dag):
    assert names(dag, "scores", "resource_type:prediction") == {"scores", PREDICTION}


def test_kinds_limit(dag):
    assert names(dag, "+features", kinds={"source"}) == {"raw.flights", "raw.weather"}
    assert names(dag, kinds={"ml_model", "seed"}) == {"late", "codes"}


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("featurs", "selection 'featurs' selects nothing", "did you mean 'features'?"),
        ("+featurs+", "selection 'featurs' selects nothing", "did you mean 'features'?"),
        ("tag:dayly", "selection 'tag:dayly' selects nothing", "did you mean 'daily'?"),
        ("path:models/stagin", "selects nothing", "did you mean 'models/staging"),
        ("source:rew", "selects nothing", "did you mean 'raw'?"),
        ("resource_type:ml_modle", "selects nothing", "did you mean 'ml_model'"),
        ("state:modified", "selection method 'state:' is not supported yet", "methods: "),
        ("config.materialized:view", "selection method 'config.materialized:' is not supported yet", None),
        ("tagg:x", "there is no selection method 'tagg:'", "did you mean 'tag'?"),
        ("tag:daily,late", "no node is in all of its parts", None),
        ("@stg_a+", "has both '@' and '+'", None),
        ("", "a selection is empty", None),
        ("+", "cannot be read", None),
        ("tag:", "cannot be read", None),
        ("stg_a,", "cannot be read", None),
    ],
)
@pytest.mark.parametrize("is_exclude", [False, True])
def test_a_selection_of_nothing_is_an_error(dag, text, what, fix, is_exclude):
    with pytest.raises(ResolveError) as caught:
        select_nodes(dag, *(((), (text,)) if is_exclude else ((text,), ())))
    assert what in caught.value.what
    assert fix is None or fix in caught.value.fix
