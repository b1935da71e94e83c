"""Outputs of ML models: what is known of them before a fit, and when they are made again."""

from dataclasses import replace

import pytest

from sqlml.ir.lineage import ColumnRef, Edge, Kind
from sqlml.ir.plan import Action
from sqlml.ir.state import Alias

ML = """version: 2
ml_models:
  - name: groups
    training_data: ref('flights')
    estimator: KMeans
    keys: [id]
    features: [miles, carrier, speeds]
    gates: [{metric: silhouette, at_least: 0.5}]
    outputs:
      - name: centres
        kind: centres
        description: Where the groups are.
        columns: [{name: size, data_tests: [not_null]}]
"""
FILES = {
    "models/flights.sql": "select id, miles, carrier, array(1.0D, 2.0D) as speeds from {{ source('raw', 'flights') }}",
    "models/large.sql": "select cluster, miles, carrier['AA'] as aa from {{ ref('centres') }} where size > 10",
    "models/groups.yml": ML,
}


@pytest.fixture
def built(workshop):
    workshop.build(FILES)
    return workshop


def reasons(plan):
    return {step.node.name: ", ".join(step.reasons) for step in plan.steps if step.action is not Action.KEEP}


def test_columns_and_types(workshop):
    compiled = workshop.compile(FILES)
    assert compiled.columns["ml_output.centres"] == ("cluster", "size", "miles", "carrier", "speeds")
    assert compiled.types["ml_output.centres"] == ("int", "bigint", "double", "map<string,double>", "array<double>")
    assert compiled.types["sql_model.large"] == ("int", "double", "double")


def test_an_encoded_number_is_a_category(workshop):
    encoded = ML.replace("    gates:", "    transforms: [{columns: miles, encode: one_hot}]\n    gates:")
    compiled = workshop.compile({**FILES, "models/groups.yml": encoded})
    assert compiled.types["ml_output.centres"][2] == "map<string,double>"


def test_a_feature_may_not_take_the_name_of_a_column(workshop):
    named = {"models/flights.sql": FILES["models/flights.sql"].replace("miles", "miles as size"),
             "models/groups.yml": ML.replace("miles", "SIZE")}  # fmt: skip
    assert "output 'centres', of kind 'centres', would have two columns 'size'" in workshop.errors({**FILES, **named})


def test_lineage(workshop):
    lineage = workshop.compile(FILES).lineage.nodes["ml_output.centres"]
    assert lineage.edges("miles") == (Edge(ColumnRef("ml_model.groups", "*"), Kind.FIT),)


def test_it_is_built_after_its_ml_model_and_before_its_readers(workshop):
    plan = workshop.build(FILES)
    assert reasons(plan) == dict.fromkeys(["airlines", "flights", "groups", "centres", "large"], "new")
    order = [step.node.name for step in plan.steps]
    assert order.index("groups") < order.index("centres") < order.index("large")
    assert not workshop.plan().has_work


def test_what_counts_for_nothing(built):
    said = ML.replace("Where the groups are.", "Their middles.")
    assert not built.plan({"models/groups.yml": said}).has_work


def test_another_fit_decides(built):
    fitted = ML.replace("KMeans", "KMeans\n    params: {k: 3}")
    plan = built.build({"models/groups.yml": fitted})
    assert reasons(plan) == {
        "groups": "params changed",
        "centres": "'groups' is trained again",
        "large": "'groups' is trained again",
    }
    assert built.snapshot.outputs["ml_output.centres"].champions == {"groups": 2}
    assert not built.plan().has_work


def test_a_moved_champion_makes_it_again(built):
    built.build({"models/groups.yml": ML.replace("KMeans", "KMeans\n    params: {k: 3}")})
    back = replace(built.snapshot, aliases={"groups": (Alias("champion", 1, is_pinned=True),)})
    built.snapshot = back
    assert reasons(built.plan())["centres"] == "champion of 'groups' changed"


def test_without_a_champion_it_is_left_out(workshop):
    workshop.value = 0.1
    workshop.build(FILES)
    steps = {step.node.name: step for step in workshop.plan().steps}
    assert steps["centres"].action is Action.KEEP
    assert steps["centres"].reasons == ("'groups' has no champion",)


def test_selected_alone_it_reads_the_champion(built):
    plan = built.plan(select=("centres",), full_refresh=True)
    assert {step.node.name: step.is_selected for step in plan.steps} == {"groups": False, "centres": True}
    assert [test.name for step in plan.steps for test in step.tests] == ["not_null_centres_size"]


STABLE = "select metric, value from {{ ml_table('groups', 'metrics', version='stable') }}"


def test_a_table_of_an_alias_follows_it(built):
    lacking = built.plan({"models/of_stable.sql": STABLE})
    steps = {step.node.name: step for step in lacking.steps}
    assert steps["of_stable"].reasons == ("'groups' has no version 'stable'",)
    assert (steps["of_stable"].action, steps["large"].action) == (Action.KEEP, Action.KEEP)
    champion = built.snapshot.aliases["groups"]
    built.snapshot = replace(built.snapshot, aliases={"groups": (*champion, Alias("stable", 1))})
    assert reasons(built.build({"models/of_stable.sql": STABLE})) == {
        "groups__metrics__at_stable": "new",
        "of_stable": "new",
    }
    assert built.snapshot.outputs["sql_model.of_stable"].champions == {"groups@stable": 1}
    # A fit gives another champion, and moves no other alias.
    built.build({"models/groups.yml": ML.replace("KMeans", "KMeans\n    params: {k: 3}")})
    assert built.snapshot.outputs["sql_model.of_stable"].champions == {"groups@stable": 1}
    assert not built.plan().has_work
    built.snapshot = replace(built.snapshot, aliases={"groups": (Alias("champion", 2), Alias("stable", 2))})
    assert reasons(built.plan()) == dict.fromkeys(
        ["groups__metrics__at_stable", "of_stable"], "version 'stable' of 'groups' changed"
    )


def test_tables_of_different_aliases_have_different_names(built):
    aliases = ("rS", "r_53_", "r_5f_53_", "r_53S", "rS53_", "rc.1", "last_month")
    calls = [f"select value from {{{{ ml_table('groups', 'metrics', version='{alias}') }}}}" for alias in aliases]
    steps = built.plan({"models/of_each.sql": " union all ".join(calls)}).steps
    names = {step.node.name for step in steps if "__at_" in step.node.name}
    assert len(names) == len(aliases)
    assert {"groups__metrics__at_rc_2e_1", "groups__metrics__at_last_month"} < names
    unsaid = built.plan({"models/of_each.sql": "select value from {{ ml_table('groups', 'metrics', version=none) }}"})
    assert "groups__metrics" in {step.node.name for step in unsaid.steps}
