"""Outputs, versions, aliases and tests: what is published is what is read, from any process and folder."""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import products
import pytest

from sqlml.errors import CommandError, DataError, SqlmlError, StateError
from sqlml.ir.location import SourceLocation
from sqlml.ir.results import Status, StepResult
from sqlml.ir.state import Alias, Metric, Snapshot
from sqlml.ir.store import Store
from sqlml.persist import open_store
from sqlml.persist.failpoints import FAILPOINTS
from sqlml.persist.tables import SCHEMA_VERSION


def test_reading_makes_nothing(root, store):
    assert store.snapshot() == Snapshot("dev")
    assert store.versions("late_arrival") == ()
    assert store.metrics("late_arrival", 1) == ()
    assert store.alias_moves("late_arrival") == ()
    assert store.file_version(Path("nothing.csv")) is None
    (root / "a.csv").write_text("a")
    assert store.file_version(Path("a.csv"))
    assert products.tree(root) == {"a.csv"}


def test_the_store_fulfils_the_protocol(store):
    fulfilled: Store = store
    missing = [name for name in vars(Store) if not name.startswith("_") and not hasattr(fulfilled, name)]
    assert missing == []


def test_importing_persist_is_cheap():
    code = "import sys, sqlml.persist; print([name for name in ('sqlalchemy', 'filelock') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_table_reads_as_it_was_published(root, open_it):
    folder = products.publish_table(open_it(), "sql_model.flüge", "a")
    published = products.table("sql_model.flüge", folder, "a")
    found = open_it().snapshot().outputs["sql_model.flüge"]
    assert found == published
    # A field that is not kept would be equal to its default here.
    assert all(
        getattr(found, field.name) not in (None, (), {}, "")
        for field in dataclasses.fields(found)
        if field.name not in ("sql", "of_target")
    )
    assert folder.parent == root / "warehouse/tables/dev/flüge"
    assert open_it("prod").snapshot().outputs == {}


def test_a_view_has_no_folder_and_takes_over_from_a_table(root, store):
    table = products.publish_table(store, "sql_model.x", "a")
    store.publish_output(products.view("sql_model.x", "b"))
    found = store.snapshot().outputs["sql_model.x"]
    assert dataclasses.replace(found, built_at="") == products.view("sql_model.x", "b")
    assert found.built_at.endswith("Z")
    # Whoever reads the table now may finish; other tools are not led to it any more.
    assert table.exists()
    assert not (table.parent / "current").is_symlink()
    store.publish_output(products.view("sql_model.x", "c"))
    assert not table.exists()


def test_the_newest_two_builds_stay(store):
    folders = [products.publish_table(store, "seed.x", word) for word in "abcd"]
    assert [folder.exists() for folder in folders] == [False, False, True, True]
    assert (folders[-1].parent / "current").resolve() == folders[-1].resolve()
    assert products.read_data(folders[-1].parent / "current") == "d"


def test_what_a_run_of_another_schema_reads_stays_until_it_ends(store, open_it):
    folders = [products.publish_table(store, "seed.x", word) for word in "abc"]
    dev = open_it("dev2")
    run_id = dev.start_run("sqlml build --defer prod")
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat(timespec="seconds")
    folders += [products.publish_table(store, "seed.x", word, later) for word in "defg"]
    # The newest of then, and the one before it, which the run may have found when it looked.
    assert [folder.exists() for folder in folders] == [False, True, True, False, False, True, True]
    dev.finish_run(run_id, "success")
    folders.append(products.publish_table(store, "seed.x", "h"))
    assert [folder.exists() for folder in folders] == [*[False] * 6, True, True]


def test_a_seed_and_a_sql_model_of_one_name_are_one_table(store):
    products.publish_table(store, "seed.x", "a")
    products.publish_table(store, "sql_model.x", "b")
    assert list(store.snapshot().outputs) == ["sql_model.x"]


def test_an_output_whose_folder_is_gone_is_not_there(store):
    folder = products.publish_table(store, "seed.x", "a")
    shutil.rmtree(folder)
    assert store.snapshot().outputs == {}


def test_data_that_is_gone_is_not_published(store):
    products.publish_table(store, "seed.x", "a")
    folder = store.begin_output("seed.x")
    with pytest.raises(StateError, match="is gone before it was published"):
        store.publish_output(products.table("seed.x", folder, "b"))
    assert products.read_data(store.snapshot().outputs["seed.x"].location) == "a"


def test_links_that_cannot_be_made_are_no_fault(store):
    folder = products.publish_table(store, "seed.x", "a")
    (folder.parent / "current").unlink()
    (folder.parent / "current").mkdir()
    (folder.parent / "current" / "file").touch()
    new = products.publish_table(store, "seed.x", "b")
    assert store.snapshot().outputs["seed.x"].location == str(new)
    with store.lock():
        assert store.recover().relinked == ()


@pytest.mark.parametrize(
    "name", ["a b", "größe", "a=b", "..", ".hidden", "a/b", "日本", "C:\\x", "%2F", "a/../../../b", "_x"]
)
def test_names_of_any_kind_stay_in_their_folder(root, store, name):
    folder = products.publish_table(store, f"sql_model.{name}", "a")
    assert folder.parent.parent == root / "warehouse/tables/dev"
    assert "=" not in folder.parent.name
    assert products.read_data(store.snapshot().outputs[f"sql_model.{name}"].location) == "a"
    assert products.read_data(folder.parent / "current") == "a"


def test_a_version_reads_as_it_was_published(root, store):
    number, folder = store.begin_version("late_arrival")
    assert (number, folder) == (1, root / "warehouse/models/dev/late_arrival/1")
    products.write_data(folder, "a")
    published = products.version(1, folder)
    store.publish_version(published, Alias("champion", 1, is_pinned=True))
    snapshot = store.snapshot()
    assert snapshot.versions == {"late_arrival": (published,)}
    assert snapshot.champion("late_arrival") == published
    assert snapshot.alias("late_arrival") == Alias("champion", 1, is_pinned=True)
    assert store.versions("late_arrival") == (published,)
    assert store.metrics("late_arrival", 1) == published.metrics
    kept = [field.name for field in dataclasses.fields(published) if field.name != "of_target"]
    assert all(getattr(published, name) not in (None, (), {}, "") for name in kept)


def test_signature_json_lies_beside_the_model(store):
    number, folder = store.begin_version("late_arrival")
    products.write_data(folder, "a")
    store.publish_version(products.version(number, folder), None)
    written = json.loads((folder / "signature.json").read_text())
    assert written["features"][0] == {"name": "wind", "type": "double", "is_nullable": True}
    assert written["classes"] == [False, True]
    assert len(written["checksums"]) == products.FILES + 1
    assert store.snapshot().champion("late_arrival") is None
    assert store.snapshot().latest("late_arrival").version == 1


def test_metrics_of_any_value(store):
    number, folder = store.begin_version("late_arrival")
    products.write_data(folder, "a")
    values = (float("nan"), float("inf"), float("-inf"), 5e-324, 0.0, 0.1 + 0.2)
    metrics = tuple(Metric("holdout", "m", value) for value in values)
    store.publish_version(dataclasses.replace(products.version(number, folder), metrics=metrics), None)
    assert [repr(metric.value) for metric in store.metrics("late_arrival", 1)] == [repr(value) for value in values]


def test_version_numbers_are_never_used_twice(root, store):
    assert products.publish_version(store) == 1
    assert store.begin_version("late_arrival")[0] == 2
    assert store.begin_version("late_arrival")[0] == 3
    (root / "warehouse/models/dev/late_arrival/7").mkdir()
    assert store.begin_version("late_arrival")[0] == 8
    shutil.rmtree(root / "warehouse/models/dev/late_arrival/1")
    assert store.begin_version("late_arrival")[0] == 9
    with store.lock():
        pass
    assert store.begin_version("other")[0] == 1


def test_aliases_move_and_remember(store):
    for _ in range(3):
        products.publish_version(store)
    store.move_alias("late_arrival", Alias("champion", 1, is_pinned=True))
    store.move_alias("late_arrival", Alias("shadow", 2))
    assert store.snapshot().aliases == {"late_arrival": (Alias("champion", 1, True), Alias("shadow", 2))}
    assert [alias.version for alias, _ in store.alias_moves("late_arrival")] == [1, 3, 2, 1]
    with pytest.raises(CommandError, match="ml model 'late_arrival' has no version 12"):
        store.move_alias("late_arrival", Alias("champion", 12))


def test_trials_are_kept_until_there_is_a_version(open_it):
    store = open_it()
    assert store.take_over_trials("late_arrival", "a", "1") == ()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: store.keep_trial("late_arrival", "a", "1", products.trial(number)), (3, 1, 2)))
    store.keep_trial("late_arrival", "a", "1", products.trial(2, value=0.25))
    store.keep_trial("other", "a", "1", products.trial(1))
    store.keep_trial("late_arrival", "a", "2", products.trial(1))
    kept = (products.trial(1), products.trial(2, value=0.25), products.trial(3))
    assert open_it().take_over_trials("late_arrival", "a", "1") == kept
    assert open_it("prod").take_over_trials("late_arrival", "a", "1") == ()
    assert store.take_over_trials("late_arrival", "a", "2") == (products.trial(1),)
    # Of another search there is nothing, and nothing is left of the first.
    assert store.take_over_trials("other", "b", "1") == store.take_over_trials("other", "a", "1") == ()
    assert store.take_over_trials("late_arrival", "a", "1") == kept
    products.publish_version(store)
    assert store.take_over_trials("late_arrival", "a", "1") == ()


def test_failpoints_come_in_order(open_it):
    called = []
    store = open_it(failpoint=called.append)
    products.build(store, "a")
    assert tuple(called) == FAILPOINTS


def test_discarded_folders_are_gone_and_others_are_safe(root, store):
    published = products.publish_table(store, "seed.x", "a")
    folder = store.begin_output("seed.x")
    products.write_data(folder, "b")
    store.discard(folder)
    assert not folder.exists()
    never_made = store.begin_output("seed.x")
    store.discard(never_made)
    for other in (published, root, root / "warehouse", root / "warehouse/tables/dev/seed/..", Path("/tmp")):
        with pytest.raises(ValueError):
            store.discard(other)
    assert products.read_data(published) == "a"


def test_tests_are_replaced(store):
    store.record_tests([products.outcome("test.a", "1"), products.outcome("test.b", "1")])
    store.record_tests([products.outcome("test.a", "2")])
    assert store.snapshot().tests == {
        "test.a": products.outcome("test.a", "2"),
        "test.b": products.outcome("test.b", "1"),
    }


def test_steps_and_runs(root, store):
    run_id = store.start_run("sqlml build --select 'a\ud800'")
    error = DataError("label 'x' has one class", SourceLocation("models/a.yml", 3), fix="look")
    store.record_step(run_id, StepResult("ml_model.x", Status.SUCCESS, 1.5, metrics={"auc": float("nan")}))
    store.record_step(run_id, StepResult("ml_model.x", Status.ERROR, 2.5, rows=3, message="m\0n", error=error))
    store.finish_run(run_id, "fail")
    with sqlite3.connect(root / "warehouse/state.sqlite") as state:
        assert state.execute("select node_id, status, duration_s, rows, message, error from steps").fetchall() == [
            (
                "ml_model.x",
                "error",
                2.5,
                3,
                "m\\x00n",
                "error: label 'x' has one class\n  --> models/a.yml:3\n  fix: look",
            )
        ]
        assert state.execute("select run_id, schema, status from runs").fetchall() == [(run_id, "dev", "fail")]


def test_a_project_can_be_moved(root, open_it, tmp_path):
    store = open_it()
    products.build(store, "a")
    store.close()
    (root / "a.csv").write_text("x")
    new = tmp_path / "elsewhere" / "name"
    new.parent.mkdir()
    root.rename(new)
    moved = open_it(at=new)
    output = moved.snapshot().outputs["sql_model.flights"]
    assert Path(output.location).is_relative_to(new)
    assert products.read_data(output.location) == "a"
    assert products.read_data(moved.snapshot().champion("late_arrival").location) == "a"
    assert products.read_data(new / "warehouse/tables/dev/flights/current") == "a"
    products.build(moved, "b")
    assert str(tmp_path) not in (new / "warehouse/state.sqlite").read_bytes().decode("latin-1")


def test_a_root_behind_a_link_or_relative(root, open_it, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(root)
    products.build(open_it(at=tmp_path / "link"), "a")
    monkeypatch.chdir(root)
    store = open_it(at=Path())
    folder = store.begin_output("seed.x")
    products.write_data(folder, "b")
    # The run phase may give the real path back.
    store.publish_output(products.table("seed.x", folder.resolve(), "b"))
    located = {output.location for output in open_it().snapshot().outputs.values()}
    assert all(Path(location).is_relative_to(root) for location in located)


def test_threads_publish_at_once(open_it):
    store = open_it()

    def work(number):
        for word in "abc":
            products.publish_table(store, f"sql_model.t{number}", word)
            store.record_tests([products.outcome(f"test.{number}", word)])
            products.publish_version(store, word)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    snapshot = open_it().snapshot()
    assert {products.read_data(output.location) for output in snapshot.outputs.values()} == {"c"}
    assert len(snapshot.outputs) == 8
    assert [version.version for version in snapshot.versions["late_arrival"]] == list(range(1, 25))


def test_readers_see_one_instant_while_another_process_writes(root, open_it, start):
    products.build(open_it(), "0")
    writer = start("store = open_store(root, 'dev')\nfor n in range(10): products.build(store, str(n + 1) + '!')", root)
    seen = set()
    while writer.poll() is None:
        snapshot = open_it().snapshot()
        output = snapshot.outputs["sql_model.flights"]
        assert snapshot.tests["test.sql_model.flights"].fingerprint == output.fingerprint
        champion = snapshot.champion("late_arrival")
        assert champion is not None and len(champion.metrics) == 2
        seen.add(output.fingerprint.digest)
    assert writer.returncode == 0, writer.stderr.read()
    assert len(seen) > 1


def test_a_reading_sees_one_instant(open_it):
    store = open_it()
    products.publish_table(store, "seed.x", "a")
    with store._database.read() as connection:
        count = "select count(*) from outputs"
        assert connection.exec_driver_sql(count).scalar() == 1
        products.publish_table(open_it(), "seed.x", "b")
        products.publish_table(store, "seed.x", "c")
        assert connection.exec_driver_sql(count).scalar() == 1
    assert store.snapshot().outputs["seed.x"].fingerprint.digest == "c"


def test_processes_that_begin_at_once_without_a_state(root, open_it, start):
    code = "sys.stdin.readline()\nopen_store(root, 'dev').start_run('x')"
    processes = [start(code, root) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    with sqlite3.connect(root / "warehouse/state.sqlite") as state:
        assert state.execute("select count(*) from runs").fetchone() == (4,)


@pytest.mark.parametrize("use", ["read", "write"])
def test_an_older_state_gets_the_columns_that_it_lacks(root, open_it, use):
    store = open_it()
    products.publish_version(store)
    store.close()
    with sqlite3.connect(root / "warehouse/state.sqlite") as state:
        for name in ("rows", "low", "high", "baseline", "gain_low", "gain_high"):
            state.execute(f"alter table metrics drop column {name}")
        state.execute("alter table lock_holder drop column schema")
        state.execute("drop table trials")
        state.execute("update meta set value = '1' where key = 'schema_version'")
    store = open_it()
    if use == "write":
        store.start_run("build")
    (version,) = store.versions("late_arrival")
    assert version.metrics[1] == Metric("training", "logLoss", 0.5, "carrier=AA")
    products.publish_version(store)
    measured = open_it().versions("late_arrival")[-1].metrics[1]
    assert (measured.rows, measured.low, measured.gain_high) == (7, 0.4, 1 / 3)


def test_a_newer_state_is_refused(root, open_it):
    store = open_it()
    products.publish_table(store, "seed.x", "a")
    store.close()
    with sqlite3.connect(root / "warehouse/state.sqlite") as state:
        state.execute("update meta set value = ?", (str(SCHEMA_VERSION + 1),))
    for use in (
        lambda: open_it().snapshot(),
        lambda: open_it().start_run("build"),
        lambda: open_it().lock().__enter__(),
    ):
        with pytest.raises(StateError, match="was written by a newer sqlml") as raised:
            use()
        assert "pip install --upgrade sqlml" in raised.value.fix


def test_a_corrupt_state_is_an_error_with_a_fix(root, open_it):
    store = open_it()
    products.publish_table(store, "seed.x", "a")
    store.close()
    state = root / "warehouse/state.sqlite"
    whole = state.read_bytes()
    for broken in (b"no database" * 1000, whole[:2000] + b"\xff" * (len(whole) - 2000), whole[: len(whole) // 2]):
        for path in state.parent.glob("state.sqlite-*"):
            path.unlink()
        state.write_bytes(broken)
        for use in (lambda: open_it().snapshot(), lambda: open_it().start_run("build")):
            with pytest.raises(StateError) as raised:
                use()
            assert "state.sqlite' cannot be read" in raised.value.what
            assert "build again" in raised.value.fix
    state.write_bytes(whole)
    with sqlite3.connect(state) as connection:
        connection.execute("update outputs set fingerprint = '{'")
    with pytest.raises(StateError, match="an entry that cannot be read"):
        open_it().snapshot()


def test_an_empty_state_file_is_no_state(root, store):
    (root / "warehouse").mkdir()
    (root / "warehouse/state.sqlite").touch()
    assert store.snapshot() == Snapshot("dev")
    products.publish_table(store, "seed.x", "a")
    assert "seed.x" in store.snapshot().outputs


def test_a_file_in_the_place_of_the_warehouse(root, open_it):
    (root / "warehouse").touch()
    assert open_it().snapshot() == Snapshot("dev")
    for use in (lambda: open_it().start_run("build"), lambda: open_it().lock().__enter__()):
        with pytest.raises(StateError) as raised:
            use()
        assert raised.value.fix


def test_a_full_disk_is_an_error_with_a_fix(root, open_it):
    store = open_it()
    run_id = store.start_run("build")
    with store._database.write() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    with pytest.raises(StateError, match="is full"):
        store.record_step(run_id, StepResult("seed.x", Status.ERROR, message="x" * 1_000_000))


READ_ONLY = """
store = open_store(root, "dev")
assert store.snapshot().outputs["sql_model.flights"].fingerprint.digest == "a"
assert store.snapshot().champion("late_arrival").version == 1
from sqlml.errors import StateError
def lock():
    with store.lock(): pass
for use in (lock, lambda: store.start_run("x"), lambda: store.begin_output("seed.x"),
            lambda: open_store(root, "dev").begin_version("y")):
    try:
        use()
    except StateError as error:
        assert error.fix and "let this user read and write" in error.fix, error.fix
    else:
        raise AssertionError("not refused")
print("refused")
"""


@pytest.fixture
def read_only(root, open_it):
    store = open_it()
    products.build(store, "a")
    store.close()
    paths = [root / "warehouse", *(root / "warehouse").rglob("*")]
    modes = {path: path.stat().st_mode for path in paths if not path.is_symlink()}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield root
    for path, mode in modes.items():
        path.chmod(mode)


def _give_up_writing_anywhere():
    """Drop what lets root write where it may not (Linux: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)."""
    library = ctypes.CDLL(None)
    for capability in (1, 2):
        library.prctl(24, capability, 0, 0, 0)


def test_a_read_only_warehouse_reads_and_refuses_to_be_written(read_only, start):
    if os.geteuid() == 0 and sys.platform != "linux":
        pytest.skip("root may write anywhere")
    options = {"preexec_fn": _give_up_writing_anywhere} if os.geteuid() == 0 else {}
    process = start(READ_ONLY, read_only, **options)
    output, errors = process.communicate(timeout=60)
    assert output == "refused\n", errors


def test_errors_are_sqlml_errors(store):
    with pytest.raises(SqlmlError):
        store.move_alias("unknown", Alias("champion", 1))


def test_the_state_may_be_another_database(root, tmp_path):
    url = f"sqlite:///{tmp_path / 'state of a team.db'}"
    store = open_store(root, "dev", url=url)
    assert store.snapshot() == Snapshot("dev")
    products.build(store, "a")
    store.close()
    other = open_store(root, "dev", url=url)
    assert products.read_data(other.snapshot().outputs["sql_model.flights"].location) == "a"
    assert other.snapshot().champion("late_arrival").version == 1
    other.close()
    assert not (root / "warehouse" / "state.sqlite").exists()


def test_a_url_that_cannot_be_used_is_an_error_without_its_password(root):
    for url in ("nonsense", "nonsense://u:secret@host/x", "sqlite:////no/such/folder/x"):
        with pytest.raises(StateError) as raised:
            open_store(root, "dev", url=url).snapshot()
        assert raised.value.fix
        assert "secret" not in str(raised.value)
