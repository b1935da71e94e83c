"""How a plan is run: what at once, what after what, what a failure stops; on a real store, without a JVM."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from life.recorder import Recorder
from sqlml.build import Request, compile_project, load_dag, open_project_store, plan_build
from sqlml.ir.plan import Plan
from sqlml.ir.results import RunResults, Status, StepResult
from sqlml.run.schedule import RunOptions, run_plan

FIRST = """version: 2
ml_models:
  - name: first
    training_data: ref('features')
    estimator: LogisticRegression
    label: y
    keys: [id]
    features: [x]
    gates: [{metric: areaUnderROC, at_least: 0.7}]
"""
SECOND = FIRST.replace("first", "second")
FILES = {
    "sqlml_project.yml": "name: small\n",
    "seeds/a.csv": "id,x,y\n1,2,true\n",
    "seeds/b.csv": "id\n1\n",
    "seeds/c.csv": "id\n1\n",
    "models/features.sql": "select id, x, y, 1 as unread from {{ ref('a') }}\n",
    "models/other.sql": "{{ config(materialized='view') }} select id from {{ ref('b') }}\n",
    "models/scores.sql": "select id, x, y, probability from {{ predict('first', ref('features')) }}\n",
    "models/top.sql": "select id from {{ ref('scores') }}\n",
    "models/first.yml": FIRST,
    "models/tests.yml": "version: 2\nmodels:\n"
    "  - {name: features, columns: [{name: id, data_tests: [unique, {relationships: {to: ref('b'), field: id}}]}]}\n"
    "  - {name: other, columns: [{name: id, data_tests: [not_null]}]}\n",
}
UNIQUE, RELATED, NOT_NULL = "unique_features_id", "relationships_features_id__id__ref_b_", "not_null_other_id"
ALL = {"a", "b", "c", "features", "other", "first", "scores", "top"}


class Progress:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended_with: dict[str, Status] = {}

    def started(self, node_id: str) -> None:
        self.begun.append(node_id)

    def ended(self, result: StepResult) -> None:
        self.ended_with[result.node_id] = result.status


class Work:
    """A project, its store and the engine that only records."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engine = Recorder()
        self.progress = Progress()
        self.results: RunResults | None = None
        for name, text in FILES.items():
            self.write(name, text)
        self.store = open_project_store(load_dag(self._request()).project)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def plan(self, **request: object) -> Plan:
        asked = self._request(**request)
        return plan_build(compile_project(load_dag(asked), self.store), self.store, asked)

    def build(self, threads: int | None = None, is_fail_fast: bool = False, **request: object) -> dict[str, str]:
        """Build; return how the steps ended, by name, data tests and what was kept left out."""
        with self.store.lock():
            self.store.recover()
            plan = self.plan(**request)
            run_id = self.store.start_run("build")
            options = RunOptions(run_id, threads, is_fail_fast)
            self.progress = Progress()
            self.results = run_plan(plan, self.engine, self.store, self.progress, options)
            self.store.finish_run(run_id, "success")
        names = {step.node.id: step.node.name for step in plan.steps if step.is_selected}
        assert {names[node_id]: status for node_id, status in self.progress.ended_with.items()} == {
            names[result.node_id]: result.status for result in self.results.results if result.node_id in names
        }
        return {
            result.node_id.partition(".")[2]: result.status.value
            for result in self.results.results
            if result.status is not Status.KEPT
        }

    def message(self, node_id: str) -> str:
        assert self.results
        return next(result.message for result in self.results.results if result.node_id == node_id)

    def folders(self) -> set[str]:
        """Return the builds on disk, as `table/build`."""
        tables = (self.root / "warehouse/tables/dev").glob("*/*")
        return {f"{path.parent.name}/{path.name}" for path in tables if not path.is_symlink()}

    def versions(self) -> set[str]:
        return {f"{path.parent.name}/{path.name}" for path in (self.root / "warehouse/models/dev").glob("*/*")}

    def champion(self, name: str) -> int | None:
        found = self.store.snapshot().champion(name)
        return found.version if found else None

    def _request(self, **request: object) -> Request:
        return Request(project_dir=self.root, **request)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    made = Work(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def built(work: Work) -> Work:
    assert work.build() == dict.fromkeys(ALL, "success")
    work.engine.take()
    return work


# At once


def test_independent_steps_run_at_once(work):
    barrier = threading.Barrier(3)
    # Each seed waits for the two others to be written at the same time.
    work.engine.during = lambda name: barrier.wait(20) if name in "abc" else None
    assert set(work.build().values()) == {"success"}


def test_one_thread_does_one_thing_at_a_time(work):
    work.write("models/second.yml", SECOND)
    work.build(threads=1)
    assert work.engine.most == {"write": 1, "fit": 1}


def test_fits_run_one_by_one_and_beside_other_steps(work):
    work.write("models/second.yml", SECOND)
    work.write("models/late.sql", "select id from {{ ref('features') }}\n")
    meeting = threading.Barrier(2)
    fits: list[str] = []

    def during(name: str) -> None:
        # The fit that comes first waits for a table that is made at the same time.
        if name in ("first", "second"):
            fits.append(name)
        if name == "late" or fits == [name]:
            meeting.wait(20)

    work.engine.during = during
    assert set(work.build().values()) == {"success"}
    assert sorted(fits) == ["first", "second"]
    assert work.engine.most["fit"] == 1


def test_several_fits_at_once_with_threads(work):
    work.write("models/second.yml", SECOND)
    barrier = threading.Barrier(2)
    work.engine.during = lambda name: barrier.wait(20) if name in ("first", "second") else None
    assert set(work.build(threads=2).values()) == {"success"}
    assert work.engine.most["fit"] == 2


# In order


@pytest.mark.parametrize("threads", [None, 1, 8])
def test_what_is_read_comes_first(work, threads):
    work.write("models/second.yml", SECOND.replace("ref('features')", "ref('scores')"))
    work.build(threads=threads)
    events = work.engine.events
    at = {event: number for number, event in enumerate(events)}
    assert len(at) == len(events), "something was done twice"
    for before, after in [
        ("end a", "write features"),
        ("end b", "view other"),
        ("view other", f"test {NOT_NULL}"),
        ("end features", f"test {UNIQUE}"),
        ("end b", f"test {RELATED}"),
        (f"test {UNIQUE}", "fit first"),
        ("end first", "predict first 1 on dev__features"),
        ("predict first 1 on dev__features", "write scores"),
        ("end scores", "write top"),
        ("end scores", "fit second"),
    ]:
        assert at[before] < at[after], (before, after)


def test_a_table_is_published_before_its_children_begin(work):
    seen = {}

    def during(name: str) -> None:
        seen[name] = {node_id.partition(".")[2] for node_id in work.store.snapshot().outputs}

    work.engine.during = during
    work.build()
    assert "a" in seen["features"]
    assert "features" in seen["first"]
    assert seen["top"] >= {"a", "features", "scores"}


def test_what_is_kept_is_read_from_where_it_lies(built):
    built.edit("models/top.sql", "select id", "select id + 1 as id")
    assert built.build() == {"top": "success"}
    assert built.engine.take() == ["table scores", "write top", "end top"]
    assert built.progress.begun == ["sql_model.top"]


# Failures


def test_a_failure_skips_what_reads_it_and_nothing_else(work):
    work.engine.failing = {"features"}
    assert work.build() == {
        "a": "success", "b": "success", "c": "success", "other": "success", "features": "error",
        "first": "skipped", "first.features": "skipped", "scores": "skipped", "top": "skipped",
    }  # fmt: skip
    assert work.message("sql_model.features") == "'features' failed: the cause"
    assert work.message("ml_model.first") == "'features' could not be built"
    assert work.message("sql_model.top") == "'scores' was skipped"
    assert work.results.exit_code == 1
    assert not any(folder.startswith("features/") for folder in work.folders())
    work.engine.failing = set()
    assert work.build() == dict.fromkeys(("features", "first", "scores", "top"), "success")


def test_a_fit_that_fails_leaves_nothing(work):
    work.engine.failing = {"first"}
    assert {name: status for name, status in work.build().items() if status != "success"} == {
        "first": "error", "first.features": "skipped", "scores": "skipped", "top": "skipped",
    }  # fmt: skip
    assert (work.versions(), work.champion("first")) == (set(), None)


def test_a_data_test_that_cannot_run_leaves_nothing(built):
    before = built.folders()
    built.edit("models/features.sql", "1 as unread", "2 as unread")
    built.engine.failing = {UNIQUE}
    assert built.build() == {
        "features": "error", "first": "skipped", "first.features": "skipped", "scores": "skipped", "top": "skipped",
    }  # fmt: skip
    assert built.folders() == before
    assert built.plan().has_work


def test_a_data_test_that_fails_stops_publication(built):
    before, old = built.folders(), built.store.snapshot().outputs["sql_model.features"]
    built.edit("models/features.sql", "1 as unread", "2 as unread")
    built.engine.failures = {UNIQUE: 3}
    assert built.build() == {
        "features": "fail", "first": "skipped", "first.features": "skipped", "scores": "skipped", "top": "skipped",
    }  # fmt: skip
    assert built.message("sql_model.features") == f"{UNIQUE}: 3 rows failed; not published"
    assert built.results.exit_code == 1
    assert built.folders() == before
    assert built.store.snapshot().outputs["sql_model.features"] == old


def test_a_view_is_tested_before_its_sql_is_published(built):
    old = built.store.snapshot().outputs["sql_model.other"]
    built.edit("models/other.sql", "select id", "select id + 1 as id")
    built.engine.failures = {NOT_NULL: 1}
    assert built.build() == {"other": "fail"}
    assert built.store.snapshot().outputs["sql_model.other"] == old


def test_a_data_test_of_what_is_kept_stops_what_reads_it(built):
    # Nothing but a second test of `features` is new, and `top` reads other than it did.
    built.edit("models/tests.yml", "[unique,", "[unique, not_null,")
    built.edit("models/top.sql", "select id", "select id + 1 as id")
    built.engine.failures = {"not_null_features_id": 1}
    found = built.build()
    assert found["not_null_features_id"] == "fail"
    assert found["top"] == "skipped"
    assert built.results.exit_code == 1
    # Unchanged, it is said again.
    built.edit("models/top.sql", "id + 1 as id", "id")
    assert built.build()["not_null_features_id"] == "fail"
    assert not built.plan().has_work


def test_a_warning_stops_nothing(built):
    built.edit("models/tests.yml", "[unique,", "[{unique: {config: {severity: warn}}},")
    built.edit("models/features.sql", "1 as unread", "2 as unread")
    built.engine.failures = {UNIQUE: 3}
    assert built.build() == {"features": "warn", "scores": "success", "top": "success"}
    assert built.results.exit_code == 0


def test_fail_fast_starts_nothing_more(work):
    work.engine.failing = {"a"}
    found = work.build(threads=1, is_fail_fast=True)
    assert found["a"] == "error"
    begun = [event for event in work.engine.events if event.startswith(("write", "view", "fit"))]
    # At most what had been handed to the one thread before the failure was seen.
    assert set(begun) <= {"write a", "write b", "write c"}
    assert found["features"] == found["top"] == found["other"] == "skipped"
    assert work.message("sql_model.other") == "--fail-fast"


def test_a_bug_is_raised_and_ends_the_run(work):
    def during(name: str) -> None:
        if name == "features":
            raise ZeroDivisionError

    work.engine.during = during
    with pytest.raises(ZeroDivisionError):
        work.build()
    work.engine.during = lambda name: None
    # What it left is removed by the next build, which goes on from what was published.
    assert work.build() == dict.fromkeys(("features", "first", "scores", "top"), "success")
    assert {folder.partition("/")[0] for folder in work.folders()} == {"a", "b", "c", "features", "scores", "top"}
    assert len(work.folders()) == 6


def test_an_interruption_cancels_what_is_being_computed(work, monkeypatch):
    def interrupt(self: Progress, result: StepResult) -> None:
        # Ctrl-C reaches the thread that waits for the steps, which is the one that tells of their ends.
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "ended", interrupt)
    # Two tables that would take an hour.
    work.engine.during = lambda name: name == "c" or work.engine.is_cancelled.wait(60)
    with pytest.raises(KeyboardInterrupt):
        work.build()
    assert work.engine.is_cancelled.is_set()
    assert set(work.store.snapshot().outputs) <= {"seed.a", "seed.b", "seed.c"}


# Fits, champions and predictions


def test_without_a_champion_predictions_are_skipped(work):
    work.engine.value = 0.6
    found = work.build()
    assert {name: status for name, status in found.items() if status != "success"} == {
        "first": "fail", "first.features": "skipped", "scores": "skipped", "top": "skipped",
    }  # fmt: skip
    assert work.message("prediction.first.features") == "'first' has no champion"
    assert "gate areaUnderROC >= 0.7: areaUnderROC is 0.6" in work.message("ml_model.first")
    assert (work.versions(), work.champion("first"), work.results.exit_code) == ({"first/1"}, None, 1)

    # Unchanged: nothing runs, nothing is fitted, the gate is said again.
    work.engine.take()
    assert not work.plan().has_work
    assert work.build()["first"] == "fail"
    assert (work.results.exit_code, work.engine.take()) == (1, [])

    # A looser gate: no fit, but predictions.
    work.edit("models/first.yml", "0.7", "0.5")
    assert work.build() == {"first": "success", "scores": "success", "top": "success"}
    assert (work.versions(), work.champion("first")) == ({"first/1"}, 1)
    assert not work.plan().has_work


def test_a_failed_gate_keeps_the_champion_and_what_it_predicted(built):
    built.edit("models/first.yml", "label: y", "label: y\n    params: {maxIter: 3}")
    built.engine.value = 0.6
    assert built.build() == {"first": "fail"}
    assert built.engine.take() == ["table features", "fit first", "end first"]
    assert (built.versions(), built.champion("first")) == ({"first/1", "first/2"}, 1)
    assert built.results.exit_code == 1
    assert not built.plan().has_work


def test_a_failed_gate_goes_on_predicting_new_rows_with_the_champion(built):
    built.edit("models/features.sql", "id, x, y", "id, x + 1 as x, y")
    built.engine.value = 0.6
    assert built.build() == {"features": "success", "first": "fail", "scores": "success", "top": "success"}
    assert "predict first 1 on dev__features" in built.engine.take()
    assert built.store.snapshot().outputs["sql_model.top"].champions == {"first": 1}
    assert built.results.exit_code == 1
    assert not built.plan().has_work


def test_a_new_champion_predicts(built):
    built.edit("models/first.yml", "label: y", "label: y\n    params: {maxIter: 3}")
    assert built.build() == {"first": "success", "scores": "success", "top": "success"}
    assert "predict first 2 on dev__features" in built.engine.take()
    assert built.store.snapshot().outputs["sql_model.scores"].champions == {"first": 2}
    assert not built.plan().has_work


def test_promote_manual_waits(built):
    built.edit("models/first.yml", "label: y", "label: y\n    params: {maxIter: 3}\n    promote: manual")
    assert built.build() == {"first": "success"}
    assert built.champion("first") == 1


@pytest.fixture
def stacked(work: Work) -> Work:
    """A second ML model that is trained on the predictions of the first."""
    work.write("models/second.yml", SECOND.replace("ref('features')", "ref('scores')"))
    work.build()
    work.engine.take()
    return work


def test_an_ml_model_below_another_is_fitted_only_if_the_champion_moved(stacked):
    stacked.edit("models/first.yml", "label: y", "label: y\n    params: {maxIter: 3}")
    stacked.engine.value = 0.6
    assert stacked.build() == {"first": "fail"}
    assert stacked.versions() == {"first/1", "first/2", "second/1"}
    assert not stacked.plan().has_work

    stacked.engine.value = 0.9
    stacked.edit("models/first.yml", "maxIter: 3", "maxIter: 4")
    assert stacked.build() == dict.fromkeys(("first", "scores", "top", "second"), "success")
    assert stacked.versions() == {"first/1", "first/2", "first/3", "second/1", "second/2"}
    assert stacked.store.snapshot().latest("second").facts["champions"] == {"first": 3}
    assert not stacked.plan().has_work


def test_an_ml_model_that_is_kept_below_another_says_its_gates_again(stacked):
    stacked.edit("models/second.yml", "0.7", "0.95")
    stacked.edit("models/first.yml", "label: y", "label: y\n    params: {maxIter: 3}\n    promote: manual")
    assert stacked.build() == {"first": "success", "second": "fail"}
    assert stacked.versions() == {"first/1", "first/2", "second/1"}
    assert "gate areaUnderROC >= 0.95" in stacked.message("ml_model.second")
    assert stacked.champion("second") == 1


def test_a_version_that_failed_its_gates_stays_so_when_only_its_readers_are_built(work):
    work.build()
    work.engine.value = 0.1
    work.edit("models/first.yml", "label: y", "label: y\n    params: {maxIter: 3}")
    assert work.build()["first"] == "fail"
    work.edit("models/scores.sql", "id, x, y", "id, x")
    assert work.build(select=("scores",)) == {"scores": "success"}
    assert work.champion("first") == 1


# Outputs of ML models

GROUPS = """version: 2
ml_models:
  - name: groups
    training_data: ref('features')
    estimator: KMeans
    keys: [id]
    features: [x]
    gates: [{metric: silhouette, at_least: 0.7}]
    outputs: [{name: centres, kind: centres}]
"""


@pytest.fixture
def grouped(work):
    work.engine.metric = "silhouette"
    work.write("models/groups.yml", GROUPS)
    work.write("models/large.sql", "select cluster from {{ ref('centres') }}\n")
    (work.root / "models/first.yml").unlink()
    for name in ("scores", "top"):
        (work.root / f"models/{name}.sql").unlink()
    return work


def test_an_output_is_made_of_the_champion(grouped):
    assert grouped.build(select=("+large",)) == dict.fromkeys(
        ["a", "features", "groups", "centres", "large"], "success"
    )
    assert "make centres of groups 1 from " in grouped.engine.take()
    assert not {"groups", "centres", "large"} & set(grouped.build())


def test_without_a_champion_an_output_and_its_readers_are_skipped(grouped):
    grouped.engine.value = 0.1
    found = grouped.build()
    assert (found["groups"], found["centres"], found["large"]) == ("fail", "skipped", "skipped")
    assert grouped.message("ml_output.centres") == "'groups' has no champion"
    # Unchanged, nothing is tried again.
    assert grouped.build() == {"groups": "fail", "centres": "skipped", "large": "skipped"}
    # Its gate loosened, the version that is there becomes champion.
    grouped.edit("models/groups.yml", "0.7", "0.05")
    assert grouped.build() == {"groups": "success", "centres": "success", "large": "success"}


def test_a_failed_gate_keeps_the_champion_and_what_was_made_of_it(grouped):
    grouped.build()
    grouped.engine.take()
    grouped.engine.value = 0.1
    assert grouped.build(retrain=("groups",)) == {"groups": "fail"}
    assert not [event for event in grouped.engine.take() if event.startswith("make")]
    # What is new is made of the champion too.
    grouped.edit("models/groups.yml", "kind: centres}", "kind: centres}, {name: again, kind: centres}")
    assert grouped.build() == {"groups": "fail", "again": "success"}
    assert "make again of groups 1 from " in grouped.engine.take()


def test_an_output_that_fails_leaves_the_old_one(grouped):
    grouped.build()
    old = grouped.store.snapshot().outputs["ml_output.centres"]
    grouped.engine.failing = {"centres"}
    assert grouped.build(retrain=("groups",)) == {"groups": "success", "centres": "error", "large": "skipped"}
    assert grouped.store.snapshot().outputs["ml_output.centres"] == old
    grouped.engine.failing = set()
    assert grouped.build() == {"centres": "success", "large": "success"}
