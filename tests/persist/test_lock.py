"""One build at a time."""

from __future__ import annotations

import os
import signal

import products
import pytest

from sqlml.errors import StateError, format_error

HOLD = """
store = open_store(root, "dev")
with store.lock("sqlml build"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_is_told_who_holds_the_lock(root, open_it, start):
    holder = start(HOLD, root)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StateError) as raised, open_it().lock():
        pass
    text = format_error(raised.value)
    assert "another build is running in schema 'dev' of this warehouse: 'sqlml build' of user '" in text
    assert f"process {holder.pid} on '{os.uname().nodename}', since 20" in text
    assert f"fix: wait until it ends, or stop it (kill {holder.pid})" in text
    assert raised.value.exit_code == 1
    # Other schemas are written, and reading goes on.
    products.build(open_it("prod"), "a")
    assert open_it().snapshot().outputs == {}
    holder.communicate("\n", timeout=60)
    products.build(open_it(), "a")


def test_the_lock_dies_with_its_process(root, open_it, start):
    holder = start(HOLD, root)
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with open_it().lock():
        pass


def test_a_child_that_outlives_the_build_does_not_keep_the_lock(root, open_it, start):
    # As a JVM may, for a moment.
    code = HOLD.replace(
        "    print",
        "    from subprocess import DEVNULL, Popen\n"
        "    Popen(['sleep', '3'], stdout=DEVNULL, stderr=DEVNULL)\n"
        "    print",
    )
    holder = start(code, root)
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    with open_it().lock():
        pass


def test_the_lock_holds_within_a_process_too(open_it):
    with open_it().lock("sqlml build"):
        with pytest.raises(StateError, match=f"process {os.getpid()}"), open_it().lock():
            pass
        with pytest.raises(StateError), open_it().lock():
            pass
    with open_it().lock():
        pass


def test_an_error_in_a_build_frees_the_lock(open_it):
    with pytest.raises(KeyError), open_it().lock():
        raise KeyError
    with open_it().lock():
        pass
