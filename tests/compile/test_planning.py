"""Plans: what a build runs, keeps and why, over what earlier builds left."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from sqlml.compile import decide_verdicts
from sqlml.errors import CommandError, SqlmlError, format_error
from sqlml.ir.plan import Action, PlanRequest
from sqlml.ir.state import Alias, TestOutcome
from sqlml.ir.verdicts import Verdict, VerdictKind

SOURCE = "{{ source('raw', 'flights') }}"
ML = """version: 2
ml_models:
  - name: late
    training_data: ref('features')
    estimator: GBTClassifier
    label: is_late
    keys: [id]
    gates: [{metric: areaUnderROC, at_least: 0.7}]
"""
FILES = {
    "models/staging.sql": f"select id, carrier, miles, delay > 1 as is_late, ts as at, 1 as unread from {SOURCE}",
    "models/light.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('staging') }}",
    "models/features.sql": "{{ config(materialized='view') }} select id, miles, is_late from {{ ref('light') }}",
    "models/scores.sql": "select id, probability from {{ predict('late', ref('features')) }}",
    "models/top.sql": "select id from {{ ref('scores') }} where probability > 0.5",
    "models/ml.yml": ML,
    "models/docs.yml": "version: 2\nmodels:\n  - name: staging\n    columns: [{name: id, data_tests: [unique]}]\n"
    "  - name: top\n    columns: [{name: id, data_tests: [not_null]}]\n",
}
MORE = "version: 2\nmodels:\n  - name: NAME\n    columns: [{name: id, data_tests: [not_null]}]\n"
UNIQUE, NOT_NULL = "unique_staging_id", "not_null_top_id"


@pytest.fixture
def built(workshop):
    workshop.build(FILES)
    return workshop


def test_the_first_build_runs_all(workshop, actions):
    plan = workshop.build(FILES)
    assert actions(plan) == dict.fromkeys(["airlines", "staging", "features", "late", "scores", "top"], "run: new") | {
        "late.features": "decide: 'late' is trained again"
    }
    carried = {step.node.name: [test.name for test in step.tests] for step in plan.steps if step.tests}
    assert carried == {"staging": [UNIQUE], "top": [NOT_NULL]}
    order = [step.node.name for step in plan.steps]
    assert order.index("staging") < order.index("features") < order.index("late") < order.index("scores")


def test_the_second_build_has_no_work(built):
    plan = built.plan()
    assert not plan.has_work
    assert {step.node.name for step in plan.steps} >= {"late", UNIQUE, NOT_NULL, "light", "raw.flights"}
    assert {step.reasons for step in plan.steps} == {("unchanged",), ("read",)}
    assert [gate.is_passed for step in plan.steps if step.node.name == "late" for gate in step.gates] == [True]


def test_an_unread_column_does_not_retrain(built, actions):
    edit = {"models/staging.sql": FILES["models/staging.sql"].replace("1 as unread", "2 as unread")}
    found = actions(built.build(edit))
    assert found == {
        "staging": "run: SQL changed",
        "features": "run: parent 'light' changed",
        "scores": "run: parent 'late.features' changed",
        "top": "run: parent 'scores' changed",
    }
    assert not built.plan().has_work


def test_a_read_column_retrains(built, actions):
    edit = {"models/staging.sql": FILES["models/staging.sql"].replace("miles,", "miles + 1 as miles,")}
    found = actions(built.build(edit))
    assert found["late"] == "run: parent 'features' changed"
    assert found["late.features"] == "decide: 'late' is trained again"
    assert not built.plan().has_work


def test_params_retrain_and_predictions_follow_the_champion(built, actions):
    edit = {"models/ml.yml": ML + "    params: {maxIter: 3}\n"}
    assert actions(built.plan(edit)) == {
        "late": "run: params changed",
        "late.features": "decide: 'late' is trained again",
        "scores": "decide: 'late' is trained again",
        "top": "decide: 'late' is trained again",
    }
    built.build()
    assert built.snapshot.outputs["sql_model.top"].champions == {"late": 2}
    assert not built.plan().has_work


def test_a_failed_gate_is_reported_again_and_not_fitted_again(built):
    built.value = 0.6
    edit = {"models/ml.yml": ML + "    params: {maxIter: 3}\n"}
    built.build(edit)
    plan = built.plan()
    step = next(step for step in plan.steps if step.node.name == "late")
    assert (step.action, [gate.is_passed for gate in step.gates]) == (Action.KEEP, [False])
    assert not plan.has_work
    # Loosened, it takes over, and what holds its predictions may change.
    plan = built.plan({"models/ml.yml": ML.replace("0.7", "0.5") + "    params: {maxIter: 3}\n"})
    assert {step.node.name: step.action for step in plan.steps if step.node.name in ("late", "scores")} == {
        "late": Action.KEEP,
        "scores": Action.DECIDE,
    }


def test_without_a_champion_predictions_wait(workshop):
    workshop.value = 0.6
    workshop.build(FILES)
    # The pretended build built them all the same; a real one would have skipped them.
    kept = {name: output for name, output in workshop.snapshot.outputs.items() if name not in ("sql_model.scores",)}
    workshop.snapshot = replace(workshop.snapshot, outputs=kept)
    plan = workshop.plan()
    found = {step.node.name: step for step in plan.steps}
    assert found["scores"].reasons == ("'late' has no champion",)
    assert found[NOT_NULL].reasons == ("'late' has no champion",)
    assert not plan.has_work


def test_a_rollback_rebuilds_what_holds_predictions(built, actions):
    built.build(retrain=frozenset({"late"}))
    assert built.snapshot.champion("late").version == 2
    built.snapshot = replace(built.snapshot, aliases={"late": (Alias("champion", 1, is_pinned=True),)})
    assert actions(built.plan()) == {
        "scores": "run: champion of 'late' changed",
        "top": "run: champion of 'late' changed",
    }


def test_missing_files(built, actions):
    shutil.rmtree(built.snapshot.outputs["sql_model.scores"].location)
    shutil.rmtree(built.snapshot.versions["late"][0].location)
    found = actions(built.plan())
    assert found["scores"] == "run: files are missing"
    assert found["late"] == "run: files are missing"
    assert "staging" not in found


def test_full_refresh_and_no_retrain(built, actions):
    found = actions(built.plan(full_refresh=True))
    assert found["late"] == found["staging"] == "run: full refresh"
    found = actions(built.plan(full_refresh=True, no_retrain=True))
    assert "late" not in found
    assert found["scores"] == "run: full refresh"


def retrain(built, policy, edit, **request):
    built.write({"models/ml.yml": ML + f"    retrain: {policy}\n"})
    plan = built.plan(edit, **request)
    step = next(step for step in plan.steps if step.node.name == "late")
    return step.action, step.reasons[-1]


DATA = {"data/flights.csv": "id,carrier,origin,dest,miles,delay,ts\n2,AA,JFK,LAX,1,1,2013-01-01 10:00:00\n"}
CODE = {"models/staging.sql": FILES["models/staging.sql"].replace("miles,", "miles + 1 as miles,")}


@pytest.mark.parametrize(
    ("policy", "edit", "expected"),
    [
        ("{when: changed}", DATA, (Action.RUN, "parent 'features' changed")),
        ("{when: spec_changed}", DATA, (Action.KEEP, "retrain: spec_changed")),
        ("{when: spec_changed}", CODE, (Action.RUN, "parent 'features' changed")),
        ("{when: asked}", CODE, (Action.KEEP, "retrain: asked")),
        ("{at_most_every: 7d}", DATA, (Action.KEEP, "retrain due on 2030-01-08 00:00 UTC")),
        ("{at_most_every: 7d}", CODE, (Action.RUN, "parent 'features' changed")),
    ],
)
def test_retraining(built, policy, edit, expected):
    assert retrain(built, policy, edit) == expected


def test_asking_wins_over_policies(built):
    assert retrain(built, "{when: asked}", CODE, retrain=frozenset({"late"})) == (Action.RUN, "retrain asked")
    assert retrain(built, "{when: asked}", CODE, full_refresh=True) == (Action.RUN, "full refresh")
    found = retrain(built, "{when: asked}", CODE, retrain=frozenset({"late"}), no_retrain=True)
    assert found == (Action.KEEP, "but --no-retrain")


def test_retraining_is_due_after_its_time(built):
    built.snapshot = replace(
        built.snapshot,
        versions={
            "late": tuple(
                replace(entry, created_at=(built.now - timedelta(days=8)).isoformat())
                for entry in built.snapshot.versions["late"]
            )
        },
    )
    assert retrain(built, "{at_most_every: 7d}", DATA)[0] is Action.RUN


def test_wrong_names_to_retrain(built):
    with pytest.raises(CommandError, match="there is no ML model 'lat'"):
        built.plan(retrain=frozenset({"lat"}))
    with pytest.raises(CommandError, match="not selected"):
        built.plan(select=("staging",), retrain=frozenset({"late"}))


def test_what_is_only_read(built, actions):
    edit = {"models/top.sql": FILES["models/top.sql"].replace("0.5", "0.6")}
    plan = built.plan(edit, select=("top",))
    assert actions(plan) == {"top": "run: SQL changed"}
    assert {step.node.name: step.is_selected for step in plan.steps} == {"scores": False, "top": True}
    assert next(step for step in plan.steps if not step.is_selected).output.location


def test_views_bring_what_they_read(built):
    edit = {"models/extra.sql": "select id from {{ ref('features') }}"}
    plan = built.plan(edit, select=("extra",))
    assert [step.node.name for step in plan.steps] == ["staging", "light", "features", "extra"]


def test_what_was_never_built(workshop):
    with pytest.raises(SqlmlError) as caught:
        workshop.plan(FILES, select=("scores", "features"))
    text = format_error(caught.value)
    assert "'features' reads 'staging', which was never built and is not selected" in text
    assert "fix: select '+features'" in text
    assert "'scores' reads 'late', which was never trained and is not selected" in text


def test_a_part_built_over_stale_parents_is_built_again(built, actions):
    edit = {"models/staging.sql": CODE["models/staging.sql"], "models/extra.sql": "select id from {{ ref('staging') }}"}
    # Built over the old rows of staging …
    assert actions(built.build(edit, select=("extra",))) == {"extra": "run: new"}
    assert not built.plan(select=("extra",)).has_work
    # … and so not what the new code of staging gives.
    found = actions(built.build())
    assert found["extra"] == "run: parent 'staging' changed"
    assert not built.plan().has_work


def test_rows_of_an_old_champion_do_not_pass_for_those_of_the_new(built, actions):
    built.build(select=("late",), retrain=frozenset({"late"}))
    built.build({"models/extra.sql": "select id from {{ ref('scores') }}"}, select=("extra",))
    found = actions(built.build())
    assert found["scores"] == "run: champion of 'late' changed"
    assert found["extra"] == "run: parent 'scores' changed"


def test_data_tests_of_what_is_kept(built, actions):
    edit = {"models/more.yml": MORE.replace("NAME", "features")}
    assert actions(built.build(edit)) == {"not_null_features_id": "run: new"}
    assert not built.plan().has_work
    last = built.snapshot.tests[f"test.{UNIQUE}"]
    failed = TestOutcome(last.test_id, last.fingerprint, "fail", 3)
    built.snapshot = replace(built.snapshot, tests={**built.snapshot.tests, failed.test_id: failed})
    plan = built.plan()
    assert not plan.has_work
    assert [step.reasons for step in plan.steps if step.node.name == UNIQUE] == [("failed before, unchanged",)]


def test_data_tests_of_ephemerals_stop_their_readers(built, actions):
    edit = {"models/more.yml": MORE.replace("NAME", "light")}
    plan = built.build(edit)
    assert actions(plan) == {"light": "run: data test 'not_null_light_id' is due"}
    assert not built.plan().has_work


def test_only_the_tests(built):
    compiled = built.compile()
    request = PlanRequest(frozenset({f"test.{UNIQUE}"}), built.now, full_refresh=True)
    from sqlml.compile import make_plan

    plan = make_plan(compiled, built.snapshot, request)
    assert [(step.node.name, str(step.action), step.is_selected) for step in plan.steps] == [
        ("staging", "keep", False),
        (UNIQUE, "run", True),
    ]


def test_a_data_test_waits_for_relations_that_were_never_built(workshop, actions):
    relationships = (
        "version: 2\nmodels:\n  - name: staging\n    columns:\n      - name: carrier\n        data_tests:\n"
        "          - relationships: {to: ref('airlines'), field: code}\n"
    )
    files = {"models/staging.sql": FILES["models/staging.sql"], "models/r.yml": relationships}
    assert actions(workshop.build(files, select=("staging",))) == {"staging": "run: new"}
    found = actions(workshop.build())
    assert found.pop("airlines") == "run: new"
    assert list(found.values()) == ["run: new"]
    assert not workshop.plan().has_work


def verdict(built, edit=None, **request):
    return decide_verdicts(built.plan(edit or {}, **request))["late"]


def test_each_ml_model_gets_a_verdict(built):
    assert verdict(built) == Verdict(VerdictKind.UNCHANGED)
    found = verdict(built, {"models/scores.sql": FILES["models/scores.sql"].replace("id,", "id, miles,")})
    assert str(found) == "predict again: scores"
    built.write({"models/scores.sql": FILES["models/scores.sql"]})
    assert str(verdict(built, CODE)) == "retrain (parent 'features' changed)"
    built.write({"models/staging.sql": FILES["models/staging.sql"]})
    assert str(verdict(built, retrain=frozenset({"late"}))) == "retrain (retrain asked)"
    waits = {"models/ml.yml": ML + "    retrain: {at_most_every: 7d}\n"}
    found = verdict(built, {**waits, **DATA})
    assert (found.kind, found.why) == (VerdictKind.DUE, ("parent 'features' changed",))
    assert str(found) == f"retrain due on {found.due} UTC (parent 'features' changed)"
    found = verdict(built, {"models/ml.yml": ML + "    retrain: {when: asked}\n", **CODE})
    assert str(found) == "predict again: scores (parent 'features' changed; retrain: asked)"


def test_a_verdict_names_who_reads_what_breaks(built):
    built.write({"models/ml.yml": ML + "    output_prefix: late_\n"})
    built.write({"models/scores.sql": FILES["models/scores.sql"].replace("probability", "late_probability")})
    built.write({"models/top.sql": "select id from {{ ref('scores') }} where late_probability > 0.5"})
    found = verdict(built)
    assert found.kind is VerdictKind.BREAKING
    assert found.breaches == ("output_prefix (its own -> another): outputs have other names",)
    assert found.readers == ("scores",)
    assert "read by scores; retrain (output prefix changed)" in str(found)
