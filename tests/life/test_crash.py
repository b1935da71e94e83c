"""A build that is killed (-9) at any instant: what was published reads whole, and the next build finishes by itself."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pyarrow.dataset
import pytest

from life.project import FEATURES, LEAVER, PEOPLE, SCORES, SEED, VIEW, Project, await_end_of_java, total
from sqlml.persist.failpoints import ALIAS_MOVED, AUDITED, COMMITTED, DATA_WRITTEN, LINKED, MODEL_SAVED

pytestmark = [pytest.mark.spark, pytest.mark.slow]

ROWS = len(PEOPLE)
OLD = sum(visits for _, _, visits, _, _ in PEOPLE)
NEW = 2 * OLD

# The failpoint, which time a build comes there (the view has no data, and comes to three of them before the table of
# features), and what then is new: the table of features, the champion.
CRASHES = [
    pytest.param(DATA_WRITTEN, 1, False, False, id="features written", marks=pytest.mark.long),
    pytest.param(AUDITED, 2, False, False, id="features audited", marks=pytest.mark.long),
    pytest.param(COMMITTED, 2, True, False, id="features committed"),
    pytest.param(LINKED, 2, True, False, id="features linked", marks=pytest.mark.long),
    pytest.param(MODEL_SAVED, 1, True, False, id="model saved"),
    pytest.param(ALIAS_MOVED, 1, True, True, id="alias moved", marks=pytest.mark.long),
]


def change_all(project: Project) -> None:
    """Change what every relation but the seed shows: each `size` is twice what it was."""
    project.edit("models/active.sql", "visits as size", "visits * 2 as size")


def predict(project: Project) -> tuple[int, float]:
    """Score the table of features; return the number of rows and the sum of `size`."""
    ended = project.run("predict", "leaver", "--input", "features", "--output", str(project.root / "scored"))
    assert (ended.code, ended.java) == (0, 1), ended.text
    scored = pyarrow.dataset.dataset(project.root / "scored", format="parquet").to_table().to_pylist()
    assert all(0 <= row["probability"] <= 1 for row in scored)
    return len(scored), total(scored, "size")


def sums(project: Project) -> dict[str, tuple[int, float]]:
    found = {name: project.rows(name) for name in ("features", "scores")}
    return {name: (len(rows), total(rows, "size")) for name, rows in found.items()}


def check_all_is_current(project: Project, version: int) -> None:
    assert project.plan() == {}
    assert sums(project) == {"features": (ROWS, NEW), "scores": (ROWS, NEW)}
    assert project.versions()[-1] == (version, ["champion"])
    check_nothing_is_left(project)


def check_nothing_is_left(project: Project) -> None:
    # Nothing lies there that the state does not know, and all that it knows.
    found = {name: builds for name, builds in project.build_folders().items() if builds}
    assert found == project.known_folders()
    assert {name: project.linked_rows(name) for name in ("people", "features", "scores")} == dict.fromkeys(
        ("people", "features", "scores"), ROWS
    )
    again = project.run("build")
    assert (again.code, again.java) == (0, 0), again.text
    assert "nothing to do" in again.out


@pytest.mark.parametrize(("failpoint", "number", "has_new_features", "has_new_champion"), CRASHES)
def test_killed_over_a_good_build(good, copy, failpoint, number, has_new_features, has_new_champion):
    crashed = copy(good, "crashed")
    change_all(crashed)
    crashed.kill_build_at(failpoint, number)

    features = (ROWS, NEW if has_new_features else OLD)
    champion = 2 if has_new_champion else 1
    reader = copy(crashed, "reader")
    assert sums(reader) == {"features": features, "scores": (ROWS, OLD)}
    assert reader.linked_rows("features") == reader.linked_rows("scores") == ROWS
    assert reader.versions()[-1] == (champion, ["champion"])
    assert set(reader.plan()) == {FEATURES, LEAVER, SCORES} - (
        ({FEATURES} if has_new_features else set()) | ({LEAVER} if has_new_champion else set())
    )
    assert predict(reader) == features

    next_build = copy(crashed, "next build")
    assert next_build.build() == {
        SEED: "kept",
        VIEW: "kept",
        FEATURES: "kept" if has_new_features else "success",
        LEAVER: "kept" if has_new_champion else "success",
        SCORES: "success",
    }
    check_all_is_current(next_build, version=2)


def test_killed_between_the_commit_of_a_view_and_its_link(good, copy):
    crashed = copy(good, "crashed")
    change_all(crashed)
    crashed.kill_build_at(COMMITTED, 1)

    # The view is new, and what was made of the old one is old and whole.
    assert sums(crashed) == {"features": (ROWS, OLD), "scores": (ROWS, OLD)}
    shown = crashed.run("show", "active", "--limit", "1000", "--json")
    assert (len(shown.json["rows"]), total(shown.json["rows"], "size")) == (ROWS, NEW)
    assert set(crashed.plan()) == {FEATURES, LEAVER, SCORES}


def test_killed_while_a_model_is_being_saved(good, copy):
    crashed = copy(good, "crashed")
    change_all(crashed)
    process = crashed.start("kill", "never", "0")
    half_made = crashed.root / "warehouse/models/dev/leaver/2"
    deadline = time.monotonic() + 400
    while not half_made.is_dir():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.005)
    process.kill()
    process.communicate()
    await_end_of_java(crashed.root)

    assert crashed.versions() == [(1, ["champion"])]
    assert sums(crashed) == {"features": (ROWS, NEW), "scores": (ROWS, OLD)}
    assert crashed.build() == {SEED: "kept", VIEW: "kept", FEATURES: "kept", LEAVER: "success", SCORES: "success"}
    check_all_is_current(crashed, version=2)


def test_interrupted_while_spark_works(good, copy):
    project = copy(good, "interrupted")
    # Days of work, in one job that writes from its first row on.
    project.write("models/endless.sql", "select id from range(100000000000000) where id % 1000003 = -1\n")
    process = project.start("commands")
    process.stdin.write(json.dumps([str(project.root), ["build"]]) + "\n")
    process.stdin.flush()
    deadline = time.monotonic() + 400
    while not list(project.root.glob("warehouse/tables/dev/endless/*/_temporary")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    ended = json.loads(process.stdout.readline())
    # Far less than what the machine would need for the job, and enough for a machine that is busy.
    assert time.monotonic() - begun < 60
    assert ended["code"] == 1
    assert ended["err"].strip() == "interrupted: what was published before is whole, the next build goes on from there"
    process.communicate(timeout=60)
    await_end_of_java(project.root)

    assert project.build_folders() == project.known_folders() | {"endless": set()}
    assert project.plan("--exclude", "endless") == {}
    (project.root / "models/endless.sql").unlink()
    check_nothing_is_left(project)


def test_killed_in_a_new_project_before_anything_was_published(fresh, copy):
    change_all(fresh)
    fresh.kill_build_at(DATA_WRITTEN, 1)

    reader = copy(fresh, "reader")
    for name in ("people", "features", "scores"):
        shown = reader.run("show", name)
        assert (shown.code, shown.java) == (2, 0)
        assert shown.err.startswith(f"error: '{name}' has not been built\n"), shown.text
    scored = reader.run("predict", "leaver", "--input", "features", "--output", str(reader.root / "scored"))
    assert (scored.code, scored.java) == (2, 0)
    assert scored.err.startswith("error: 'leaver' has no version yet\n"), scored.text
    assert reader.versions() == []
    assert reader.plan() == dict.fromkeys((SEED, VIEW, FEATURES, LEAVER, SCORES), "run: new")

    assert set(fresh.build().values()) == {"success"}
    check_all_is_current(fresh, version=1)


def test_killed_in_a_new_project_when_the_first_champion_is_there(fresh, copy):
    change_all(fresh)
    fresh.kill_build_at(ALIAS_MOVED, 1)

    reader = copy(fresh, "reader")
    shown = reader.run("show", "scores")
    assert (shown.code, shown.java) == (2, 0)
    assert "'scores' has not been built" in shown.err
    assert reader.plan() == {SCORES: "run: new"}
    assert predict(reader) == (ROWS, NEW)
    assert not Path(reader.root / "warehouse/tables/dev/scores").exists()

    assert fresh.build() == {SEED: "kept", VIEW: "kept", FEATURES: "kept", LEAVER: "kept", SCORES: "success"}
    check_all_is_current(fresh, version=1)
