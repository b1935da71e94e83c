"""Lineage through fitted models: features to the slots of vectors, slots to what is predicted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sqlml.compile import trace_vectors
from sqlml.ir.lineage import EVERY, ColumnRef, Kind, vector_of
from sqlml.ir.state import Column

SOURCE = "{{ source('raw', 'flights') }}"
LATE, SCORED = "ml_model.late", "prediction.late.new"
ML = """version: 2
ml_models:
  - name: late
    training_data: ref('features')
    estimator: ESTIMATOR
    label: is_late
    keys: [id]
"""
FILES = {
    "models/features.sql": "select id, carrier, miles, array(miles, 1.0D) as pair, origin = 'JFK' as is_home, "
    f"delay > 1 as is_late from {SOURCE}",
    "models/new.sql": "select ID, CARRIER, miles, pair, is_home from {{ ref('features') }}",
    "models/scores.sql": "select id, predicted_is_late from {{ predict('late', ref('new')) }}",
}
CARRIERS = ("carrier=AA", "carrier=UA", "carrier=<null>", "carrier=<other>")
SLOTS = (*CARRIERS, "miles", "pair[0]", "pair[1]", "is_home")
FEATURES = (*[("carrier",)] * 4, ("miles",), ("pair",), ("pair",), ("is_home",))


@pytest.fixture
def project(workshop):
    def write(estimator="LogisticRegression", more=""):
        workshop.write({**FILES, "models/ml.yml": ML.replace("ESTIMATOR", estimator) + more})
        return workshop

    return write


def slots_of(lineage, node_id):
    """Return each slot and the columns that it comes from."""
    vector = lineage.nodes[vector_of(node_id)]
    assert {edge.kind for edges in vector.columns.values() for edge in edges} == {Kind.VALUE}
    return {slot: {edge.source for edge in edges} for slot, edges in vector.columns.items()}


@pytest.mark.parametrize(
    ("estimator", "more", "expected"),
    [
        ("LogisticRegression", "", ["carrier=*", "miles", "pair[*]", "is_home"]),
        ("GBTClassifier", "", ["carrier", "miles", "pair[*]", "is_home"]),
        ("GBTClassifier", "    transforms: [{columns: [is_home, carrier], encode: one_hot}]\n",
         ["carrier=*", "miles", "pair[*]", "is_home=*"]),
        ("LogisticRegression", "    features: [miles, carrier]\n", ["miles", "carrier=*"]),
        ("LogisticRegression", "    transforms: [{columns: carrier, text: tf_idf}, {columns: pair, encode: index}]\n",
         ["carrier:*", "miles", "pair[*]", "is_home"]),
        ("LogisticRegression", "    transforms: [{columns: carrier, text: tf_idf, params: {numFeatures: 8}}]\n",
         ["carrier#*", "miles", "pair[*]", "is_home"]),
    ],
)  # fmt: skip
def test_before_a_fit_the_chosen_transforms_say_what_slots_there_will_be(project, estimator, more, expected):
    compiled = project(estimator, more).compile()
    lineage = trace_vectors(compiled, {})
    features = [re.match(r"\w+", slot)[0] for slot in expected]
    assert slots_of(lineage, LATE) == {
        slot: {ColumnRef(LATE, feature)} for slot, feature in zip(expected, features, strict=True)
    }
    assert list(slots_of(lineage, SCORED)) == expected
    assert lineage.versions == {vector_of(LATE): None, vector_of(SCORED): None}


def test_what_is_made_of_several_columns_comes_from_all_of_them(project):
    more = (
        "    transforms: [{columns: [miles, pair], scale: none, reduce: {pca: 2}}, {columns: [carrier, is_home], "
        "encode: hash}, {columns: miles, impute: 0, indicator: true}]\n"
    )
    lineage = trace_vectors(project("LogisticRegression", more).compile(), {})
    both, hashed = ({ColumnRef(LATE, name) for name in names} for names in (("miles", "pair"), ("carrier", "is_home")))
    alone = {ColumnRef(LATE, "miles")}
    assert slots_of(lineage, LATE) == {"carrier+is_home#*": hashed, "pca_*": both, "miles=<null>": alone}
    more = "    transforms: [{columns: [miles, carrier], expand: interaction}]\n"
    lineage = trace_vectors(project("LogisticRegression", more).compile(), {})
    assert slots_of(lineage, LATE)["*"] == {ColumnRef(LATE, "miles"), ColumnRef(LATE, "carrier")}


def champion(workshop, slots=SLOTS):
    """Pretend a fit, and return its version with the slots that Spark would have found."""
    workshop.build()
    version = workshop.snapshot.champion("late")
    return replace(version, signature=replace(version.signature, slots=slots, slot_features=FEATURES))


def test_after_a_fit_they_are_the_champions(project):
    workshop = project()
    version = champion(workshop)
    lineage = trace_vectors(workshop.compile(), {"late": version})
    expected = {
        slot: {ColumnRef("sql_model.new", name)}
        for slot, name in zip(SLOTS, ["CARRIER"] * 4 + ["miles", "pair", "pair", "is_home"], strict=True)
    }
    assert slots_of(lineage, SCORED) == expected
    assert lineage.versions == {vector_of(LATE): 1, vector_of(SCORED): 1}
    # From the source to what is read of the predictions, and through each slot.
    found = {ref.column for ref in lineage.roots(ColumnRef("sql_model.scores", "predicted_is_late"))}
    assert found == {"carrier", "miles", "origin"}
    predicted = lineage.edges(ColumnRef(SCORED, "predicted_is_late"))
    assert [(edge.kind, edge.source) for edge in predicted] == [
        (Kind.VALUE, ColumnRef(vector_of(SCORED), EVERY)),
        (Kind.FIT, ColumnRef(vector_of(LATE), EVERY)),
        (Kind.FIT, ColumnRef(LATE, "is_late")),
    ]
    (copied,) = lineage.edges(ColumnRef(SCORED, "ID"))
    assert copied.is_copy


@pytest.mark.parametrize(
    "change",
    [
        {"models/ml.yml": ML.replace("ESTIMATOR", "GBTClassifier")},
        {"models/ml.yml": ML.replace("ESTIMATOR", "LogisticRegression") + "    features: {exclude: [miles]}\n"},
        {
            "models/ml.yml": ML.replace("ESTIMATOR", "LogisticRegression")
            + "    transforms: [{columns: [carrier], encode: index}]\n"
        },
        {"models/features.sql": FILES["models/features.sql"].replace(" miles,", " cast(miles as string) as miles,")},
    ],
    ids=["estimator", "features", "transforms", "types"],
)
def test_a_champion_of_another_spec_says_nothing_of_the_slots(project, change):
    workshop = project()
    version = champion(workshop)
    lineage = trace_vectors(workshop.compile(change), {"late": version})
    assert set(lineage.versions.values()) == {None}
    assert not set(CARRIERS) & set(slots_of(lineage, LATE))


def test_a_champion_that_was_saved_without_what_its_slots_come_from_says_nothing_of_them(project):
    workshop = project()
    version = champion(workshop)
    old = replace(version, signature=replace(version.signature, slot_features=()))
    lineage = trace_vectors(workshop.compile(), {"late": old})
    assert set(lineage.versions.values()) == {None}
    assert list(slots_of(lineage, LATE)) == ["carrier=*", "miles", "pair[*]", "is_home"]


def test_other_sql_with_the_same_features_keeps_the_slots(project):
    workshop = project()
    version = champion(workshop)
    change = {"models/features.sql": FILES["models/features.sql"] + " where miles > 100"}
    assert trace_vectors(workshop.compile(change), {"late": version}).versions[vector_of(LATE)] == 1


def test_how_many_classes_there_are_is_known_by_the_champion(project):
    sql = FILES["models/features.sql"].replace("delay > 1 as is_late", "dest as is_late")
    workshop = project()
    workshop.write({"models/features.sql": sql})
    assert EVERY in trace_vectors(workshop.compile(), {}).nodes[SCORED].columns
    version = champion(workshop)
    outputs = tuple(Column(name, "string") for name in ("predicted_is_late", "confidence", "probabilities"))
    version = replace(version, signature=replace(version.signature, outputs=outputs))
    columns = trace_vectors(workshop.compile(), {"late": version}).nodes[SCORED].columns
    assert list(columns)[-3:] == ["predicted_is_late", "confidence", "probabilities"]
    assert len(columns["confidence"]) == 3


def test_what_predictions_read_beside_the_vector(project):
    more = "    offset: exposure\n    weight: heft\n"
    sql = FILES["models/features.sql"].replace(
        "delay > 1 as is_late", "delay as is_late, ln(miles) as exposure, 1 as heft"
    )
    workshop = project("GeneralizedLinearRegression", more)
    new = FILES["models/new.sql"].replace("is_home", "is_home, EXPOSURE")
    compiled = workshop.compile({"models/features.sql": sql, "models/new.sql": new})
    edges = trace_vectors(compiled, {}).edges(ColumnRef(SCORED, "predicted_is_late"))
    assert {(edge.kind, edge.source) for edge in edges} == {
        (Kind.VALUE, ColumnRef(vector_of(SCORED), EVERY)),
        (Kind.VALUE, ColumnRef("sql_model.new", "EXPOSURE")),
        (Kind.FIT, ColumnRef(vector_of(LATE), EVERY)),
        *[(Kind.FIT, ColumnRef(LATE, name)) for name in ("is_late", "exposure", "heft")],
    }


def test_what_is_unknown_stays_so(project):
    workshop = project()
    workshop.write({"models/scores.sql": "select predicted_is_late from {{ predict('late', ref('new')) }}"})
    lineage = trace_vectors(workshop.compile({"models/new.sql": "select * from other.place"}), {})
    assert lineage.versions == {vector_of(LATE): None}
    assert {edge.kind for edge in lineage.edges(ColumnRef(SCORED, EVERY))} == {Kind.UNKNOWN}
    lineage = trace_vectors(workshop.compile({"models/features.sql": "select * from other.place"}), {})
    assert lineage.versions == {}


def test_outputs_of_a_fitted_model_are_learnt_through_its_slots(workshop):
    yml = """version: 2
ml_models:
  - name: groups
    training_data: ref('features')
    estimator: KMeans
    keys: [id]
    outputs: [{name: group_centres, kind: centres}]
"""
    compiled = workshop.compile({"models/features.sql": f"select id, miles, delay from {SOURCE}", "models/ml.yml": yml})
    lineage = trace_vectors(compiled, {})
    (node_id,) = [node.id for node in compiled.dag.nodes.values() if node.name == "group_centres"]
    edges = lineage.edges(ColumnRef(node_id, "miles"))
    assert [(edge.kind, edge.source) for edge in edges] == [(Kind.FIT, ColumnRef("ml_model.groups:vector", EVERY))]
    assert set(slots_of(lineage, "ml_model.groups")) == {"miles", "delay"}
