"""What a build does again and what it does not: one project through many edits, in real processes."""

from __future__ import annotations

import os

import pytest

from life.project import FEATURES, FILES, LEAVER, ML_MODEL, PEOPLE, SCORES, SEED, STORED, VIEW, Project
from sqlml.persist import open_store

pytestmark = [pytest.mark.spark, pytest.mark.slow]

KEPT = dict.fromkeys(STORED, "kept")
IMPOSSIBLE, EASY = "at_least: 0.9999", "at_least: 0.5"
GATE = "at_least: 0.6"


def check_nothing_runs(project: Project) -> None:
    assert project.plan() == {}
    ended = project.run("build")
    assert (ended.code, ended.java) == (0, 0), ended.text
    assert "nothing to do" in ended.out
    assert project.statuses() == KEPT


def champion_of(project: Project) -> list[int]:
    return [number for number, aliases in project.versions() if "champion" in aliases]


def test_nothing_changed_starts_no_jvm_and_imports_no_pyspark(cold):
    project = cold
    ended = project.run("build")
    assert (ended.code, ended.java, ended.has_pyspark) == (0, 0, False), ended.text
    assert ended.out.startswith("nothing to do: ") and " nodes are unchanged" in ended.out
    planned = project.run("plan")
    assert (planned.code, planned.java, planned.has_pyspark) == (0, 0, False)
    assert "unchanged (=)" in planned.out and "to run" not in planned.out
    assert project.statuses() == KEPT


def test_edits_that_count_for_nothing(cold):
    project = cold
    project.edit("models/features.sql", "-- one row per person\nselect id,", "/* one row\n each */\nSELECT   id\n  ,")
    project.edit("models/active.sql", "select id, team", "select id, -- who\n team")
    check_nothing_runs(project)
    project.edit("models/leaver.yml", "    label:", "    description: Who will leave?\n    label:")
    project.edit("models/relations.yml", "  - name: scores\n", "  - name: scores\n    description: Who leaves.\n")
    check_nothing_runs(project)
    # The same bytes again, at another time.
    project.write("seeds/people.csv", FILES["seeds/people.csv"])
    os.utime(project.root / "seeds/people.csv", (1, 1))
    check_nothing_runs(project)

    # A gate is looked at again, and nothing is fitted or moved.
    project.edit("models/leaver.yml", GATE, IMPOSSIBLE)
    assert project.plan() == {}
    ended = project.run("build")
    assert (ended.code, ended.java, ended.has_pyspark) == (1, 0, False), ended.text
    assert "gate areaUnderROC >= 0.9999: areaUnderROC is 0." in ended.out
    assert "nothing to do" not in ended.out
    assert project.statuses() == {**KEPT, LEAVER: "fail"}
    assert project.versions() == [(1, ["champion"])]
    project.edit("models/leaver.yml", IMPOSSIBLE, EASY)
    check_nothing_runs(project)
    assert project.versions() == [(1, ["champion"])]


def test_plans_of_edits(good, copy):
    project = copy(good, "project")
    changed = "run: parent '{}' changed"
    all_below = {
        FEATURES: changed.format("active"),
        LEAVER: changed.format("features"),
        SCORES: changed.format("leaver.features"),
    }
    # A row more.
    project.write("seeds/people.csv", FILES["seeds/people.csv"] + "121,a,9,1,true\n")
    data_changed = {SEED: "run: data changed", VIEW: changed.format("people"), **all_below}
    found = project.plan()
    # A view is its SQL: what it shows changes with its parents.
    assert {key: found.get(key) for key in (SEED, FEATURES, LEAVER, SCORES)} == {
        key: data_changed[key] for key in (SEED, FEATURES, LEAVER, SCORES)
    }
    assert project.plan("--no-retrain")[LEAVER] == "keep: parent 'features' changed, but --no-retrain"
    for policy, said in {
        "{when: spec_changed}": "keep: parent 'features' changed, retrain: spec_changed",
        "{when: asked}": "keep: parent 'features' changed, retrain: asked",
        "{at_most_every: 7d}": "keep: parent 'features' changed, retrain due on ",
    }.items():
        project.write("models/leaver.yml", f"{ML_MODEL}    retrain: {policy}\n")
        found = project.plan()
        assert found[LEAVER].startswith(said), policy
        assert found[SCORES].startswith("run: parent")
        assert project.plan("--retrain", "leaver")[LEAVER] == "run: retrain asked"
        assert project.plan("--retrain", "leaver", "--no-retrain")[LEAVER].startswith("keep: ")
        # Its own spec is no matter of data.
        project.edit("models/leaver.yml", "maxIter: 5", "maxIter: 6")
        does_fit = "asked" not in policy
        assert project.plan()[LEAVER].startswith("run: params changed" if does_fit else "keep: params changed"), policy
    project.write("models/leaver.yml", ML_MODEL)
    project.write("seeds/people.csv", FILES["seeds/people.csv"])
    assert project.plan() == {}

    # An expression; a spec; all of it.
    project.edit("models/active.sql", "visits as size", "visits + 1 as size")
    assert project.plan() == {VIEW: "run: SQL changed", **all_below}
    project.write("models/active.sql", FILES["models/active.sql"])
    project.edit("models/leaver.yml", "maxIter: 5", "maxIter: 6")
    assert project.plan() == {LEAVER: "run: params changed", SCORES: "decide: 'leaver' is trained again"}
    project.write("models/leaver.yml", ML_MODEL)
    assert project.plan("--full-refresh") == dict.fromkeys(STORED, "run: full refresh")
    assert project.plan() == {}


def test_a_life_of_builds(good, copy):
    project = copy(good, "project")

    # A column that the ML model does not read.
    project.edit("models/features.sql", "leaves from", "leaves, size + 1 as unread from")
    assert project.plan() == {
        FEATURES: "run: SQL changed",
        SCORES: "run: parent 'leaver.features' changed",
    }
    assert project.build() == {**KEPT, FEATURES: "success", SCORES: "success"}
    assert project.versions() == [(1, ["champion"])]

    # One that it reads, in a text that differs in more than its layout.
    project.edit("models/features.sql", "tickets, leaves", "tickets + 1 as tickets, leaves")
    assert project.build() == {**KEPT, FEATURES: "success", LEAVER: "success", SCORES: "success"}
    assert project.versions() == [(1, []), (2, ["champion"])]
    assert project.plan() == {}

    # Another fit that does not pass: the champion stays, and its predictions with it.
    before = project.current("scores")
    project.edit("models/leaver.yml", "maxIter: 5", "maxIter: 6")
    project.edit("models/leaver.yml", GATE, IMPOSSIBLE)
    assert project.plan() == {LEAVER: "run: params changed", SCORES: "decide: 'leaver' is trained again"}
    assert project.build(code=1) == {**KEPT, LEAVER: "fail"}
    assert project.messages()[LEAVER].startswith("version 3, areaUnderROC 0.")
    assert "gate areaUnderROC >= 0.9999" in project.messages()[LEAVER]
    assert project.versions() == [(1, []), (2, ["champion"]), (3, [])]
    assert project.current("scores") == before
    # It is not fitted again, and said again.
    again = project.run("build")
    assert (again.code, again.java) == (1, 0), again.text
    assert "gate areaUnderROC >= 0.9999" in again.out
    assert len(project.versions()) == 3

    # With a looser gate it takes over without another fit, and predictions follow.
    project.edit("models/leaver.yml", IMPOSSIBLE, EASY)
    assert project.plan() == {SCORES: "decide: 'leaver' is trained again"}
    assert project.build() == {**KEPT, LEAVER: "success", SCORES: "success"}
    assert project.versions() == [(1, []), (2, []), (3, ["champion"])]
    assert project.current("scores") != before
    check_nothing_runs(project)

    # A rollback pins: a later fit that passes does not take over.
    moved = project.run("model", "rollback", "leaver")
    assert (moved.code, moved.java) == (0, 0), moved.text
    assert champion_of(project) == [2]
    assert project.plan() == {SCORES: "run: champion of 'leaver' changed"}
    assert project.build("--retrain", "leaver") == {**KEPT, LEAVER: "success", SCORES: "success"}
    assert [number for number, _ in project.versions()] == [1, 2, 3, 4]
    assert champion_of(project) == [2]
    check_nothing_runs(project)

    # More data and no fit; the promoted version is what predicts.
    assert project.run("model", "promote", "leaver", "4").code == 0
    assert project.plan() == {SCORES: "run: champion of 'leaver' changed"}
    project.write("seeds/people.csv", FILES["seeds/people.csv"] + "121,a,9,1,true\n")
    found = project.build("--no-retrain")
    assert {**found, VIEW: "kept"} == {**KEPT, SEED: "success", FEATURES: "success", SCORES: "success"}
    assert len(project.rows("scores")) == len(PEOPLE) + 1
    assert champion_of(project) == [4]
    assert project.plan() == {LEAVER: "run: parent 'features' changed", SCORES: "decide: 'leaver' is trained again"}

    # All of it.
    assert project.build("--full-refresh") == dict.fromkeys(STORED, "success")
    assert champion_of(project) == [5]
    check_nothing_runs(project)
    assert project.build_folders() == project.known_folders()
    assert {name: len(builds) for name, builds in project.build_folders().items()} == {
        "people": 2, "features": 2, "scores": 2, "leaver": 5
    }  # fmt: skip


def test_data_tests_stand_before_publication(good, copy):
    project = copy(good, "project")
    twice = FILES["seeds/people.csv"] + "120,a,9,1,true\n"
    project.write("seeds/people.csv", twice)
    found = project.build(code=1)
    assert {**found, VIEW: "kept"} == {**KEPT, SEED: "success", FEATURES: "fail", LEAVER: "skipped", SCORES: "skipped"}
    assert "1 row failed" in project.messages()[FEATURES] and "not published" in project.messages()[FEATURES]
    assert project.messages()[LEAVER] == "'features' failed"
    # What was published before is what is read.
    assert len(project.rows("features")) == len(project.rows("scores")) == len(PEOPLE)
    assert project.linked_rows("features") == len(PEOPLE)
    assert project.versions() == [(1, ["champion"])]
    assert project.build_folders() == project.known_folders()

    # As a warning it does not stand in the way.
    project.edit("models/relations.yml", "[unique]", "[{unique: {config: {severity: warn}}}]")
    found = project.build()
    assert found == {**KEPT, FEATURES: "warn", LEAVER: "success", SCORES: "success"}
    assert len(project.rows("features")) == len(project.rows("scores")) == len(PEOPLE) + 1
    assert project.plan() == {}


def test_one_build_at_a_time(good, copy):
    project = copy(good, "project")
    project.edit("models/leaver.yml", "maxIter: 5", "maxIter: 6")
    store = open_store(project.root, "dev")
    with store.lock():
        ended = project.run("build")
        assert (ended.code, ended.java) == (1, 0)
        assert "another build is running in schema 'dev' of this warehouse: 'sqlml build'" in ended.err
        assert f"process {os.getpid()} " in ended.err and "fix: wait" in ended.err
        # Who only reads does not wait.
        assert project.plan() == {LEAVER: "run: params changed", SCORES: "decide: 'leaver' is trained again"}
        assert len(project.rows("scores")) == len(PEOPLE)
    store.close()
