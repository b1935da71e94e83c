"""A build that is killed at any instant leaves the old or the new output whole, and the next build puts all right."""

from __future__ import annotations

import random
import signal
import sqlite3
import time

import products
import pytest

from sqlml.persist.failpoints import ALIAS_MOVED, COMMITTED, FAILPOINTS, LINKED, MODEL_SAVED, TRIAL_KEPT

KILLED_AT = """
def kill(name):
    if name == arguments[0]:
        os.kill(os.getpid(), signal.SIGKILL)
products.build(open_store(root, "dev", kill), arguments[1])
"""
BUILD_FOR_EVER = """
for number in range(10**6):
    print("built", flush=True)
    store = open_store(root, "dev")
    products.build(store, f"<{arguments[0]} {number}>")
"""


def kill_at(start, root, failpoint, word):
    process = start(KILLED_AT, root, failpoint, word)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors


def table_word(store):
    output = store.snapshot().outputs.get("sql_model.flights")
    if output is None:
        return None
    word = products.read_data(output.location)
    assert output.fingerprint.digest == word
    assert store.snapshot().tests["test.sql_model.flights"].fingerprint.digest == word
    return word


def champion_word(store):
    champion = store.snapshot().champion("late_arrival")
    if champion is None:
        return None
    word = products.read_data(champion.location)
    assert champion.fingerprint.digest == word
    assert len(champion.metrics) == 2
    return word


def run_statuses(root):
    with sqlite3.connect(root / "warehouse" / "state.sqlite") as state:
        return [status for (status,) in state.execute("select status from runs order by started_at, run_id")]


def folders(root):
    """What lies on disk: numbers of builds and versions, links included."""
    return (
        [path for path in (root / "warehouse/tables/dev/flights").iterdir() if not path.is_symlink()],
        sorted(path.name for path in (root / "warehouse/models/dev").glob("late_arrival/*")),
    )


@pytest.mark.parametrize("builds_before", [0, 2])
@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_build_killed_at_a_failpoint(root, open_it, start, failpoint, builds_before):
    words = ["a", "b"][:builds_before]
    for word in words:
        products.build(open_it(), word)
    old = words[-1] if words else None

    kill_at(start, root, failpoint, "killed")

    has_new_table = FAILPOINTS.index(failpoint) >= FAILPOINTS.index(COMMITTED)
    has_new_version = failpoint == ALIAS_MOVED
    reader = open_it()
    assert table_word(reader) == ("killed" if has_new_table else old)
    assert champion_word(reader) == ("killed" if has_new_version else old)

    store = open_it()
    with store.lock():
        recovery = store.recover()
    assert table_word(store) == ("killed" if has_new_table else old)
    assert len(recovery.crashed_runs) == 1
    is_kept = failpoint in (TRIAL_KEPT, MODEL_SAVED)
    assert store.take_over_trials("late_arrival", "killed", "1") == ((products.trial(1),) if is_kept else ())
    # Either the table's or the version's folder was garbage, unless both were published.
    is_between = failpoint in (COMMITTED, LINKED)
    assert len(recovery.removed) == (0 if has_new_version or is_between else 1)
    assert bool(recovery.relinked) == (failpoint == COMMITTED)
    assert run_statuses(root) == ["success"] * builds_before + ["crashed"]
    builds, versions = folders(root)
    assert len(builds) == min(2, builds_before + has_new_table)
    assert versions == [str(number + 1) for number in range(builds_before + has_new_version)]
    link = root / "warehouse/tables/dev/flights/current"
    if old or has_new_table:
        assert products.read_data(link) == table_word(store)
    else:
        assert not link.is_symlink()

    with store.lock():
        again = store.recover()
    assert not (again.removed or again.relinked or again.crashed_runs)

    products.build(open_it(), "next")
    assert table_word(open_it()) == champion_word(open_it()) == "next"
    assert products.read_data(link) == "next"
    assert len(store.snapshot().versions["late_arrival"]) == builds_before + has_new_version + 1


def test_builds_killed_at_random_instants(root, open_it, start):
    products.build(open_it(), "first")
    chance = random.Random(7)
    for round_number in range(5):
        process = start(BUILD_FOR_EVER, root, str(round_number))
        assert process.stdout.readline() == "built\n", process.stderr.read()
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        process.communicate()
        reader = open_it()
        assert table_word(reader) and champion_word(reader)
    products.build(open_it(), "last")
    assert table_word(open_it()) == champion_word(open_it()) == "last"
    builds, versions = folders(root)
    assert len(builds) == 2
    assert [int(name) for name in versions] != []
    assert {version.version for version in open_it().versions("late_arrival")} == {int(name) for name in versions}
    assert set(run_statuses(root)) <= {"success", "crashed"}


def test_a_crash_while_an_old_build_is_removed(root, open_it):
    for word in "abc":
        products.publish_table(open_it(), "seed.x", word)
    with sqlite3.connect(root / "warehouse" / "state.sqlite") as state:
        location = state.execute("select location from outputs order by id limit 1").fetchone()[0]
        state.execute("update outputs set is_kept = 1")
    (root / "warehouse" / location).mkdir()
    (root / "warehouse" / location / "half").touch()
    store = open_it()
    with store.lock():
        store.recover()
    assert not (root / "warehouse" / location).exists()
    assert products.read_data(store.snapshot().outputs["seed.x"].location) == "c"


def test_without_its_state_the_data_stays_and_numbers_are_not_used_again(root, open_it):
    store = open_it()
    products.build(store, "a")
    store.close()
    for path in (root / "warehouse").glob("state.sqlite*"):
        path.unlink()
    kept = products.tree(root / "warehouse/tables") | products.tree(root / "warehouse/models")

    products.build(open_it(), "b")

    assert kept <= products.tree(root / "warehouse/tables") | products.tree(root / "warehouse/models")
    assert open_it().snapshot().champion("late_arrival").version == 2
    assert champion_word(open_it()) == "b"


def test_half_made_links_and_the_link_are_put_right(root, open_it):
    store = open_it()
    build = products.publish_table(store, "seed.x", "a")
    link = build.parent / "current"
    link.unlink()
    link.symlink_to("nowhere")
    (build.parent / ".current-12345678").symlink_to("nowhere")
    with store.lock():
        assert store.recover().relinked == (str(build.parent),)
    assert str(link.readlink()) == build.name
    assert {path.name for path in build.parent.iterdir()} == {build.name, "current"}


def test_recover_does_not_touch_what_this_process_writes(store):
    with store.lock():
        run_id = store.start_run("build")
        folder = store.begin_output("seed.x")
        products.write_data(folder, "a")
        assert store.recover() == type(store.recover())()
        assert folder.exists()
        store.finish_run(run_id, "success")


def test_recover_needs_the_lock(store):
    with pytest.raises(ValueError, match="needs the lock"):
        store.recover()
