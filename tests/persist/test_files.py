"""Versions of files: they follow content, and what is known is not read again."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from sqlml.errors import EnvironmentFault

LONG_AGO_NS = 1_500_000_000_000_000_000


def write(path, text, mtime_ns=LONG_AGO_NS):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def cached(root):
    with sqlite3.connect(root / "warehouse/state.sqlite") as state:
        return dict(state.execute("select path, digest from files").fetchall())


def test_content_decides(root, store):
    a, b = write(root / "a.csv", "same"), write(root / "b.csv", "same", LONG_AGO_NS + 1)
    c = write(root / "c.csv", "other")
    assert store.file_version(a) == store.file_version(b) != store.file_version(c)
    assert store.file_version(Path("a.csv")) == store.file_version(a)
    before = store.file_version(a)
    write(a, "samE", LONG_AGO_NS + 1)
    assert store.file_version(a) != before


def test_what_is_known_is_not_read_again(root, open_it):
    path = write(root / "größe 1.csv", "aaaa")
    store = open_it()
    first = store.file_version(path)
    assert not (root / "warehouse").exists()
    store.start_run("build")
    assert cached(root) == {"größe 1.csv": first}
    # Same size and time: only its content tells, and that is not looked at.
    write(path, "bbbb")
    assert open_it().file_version(path) == first
    write(path, "bbbb", LONG_AGO_NS + 1000)
    other = open_it()
    assert other.file_version(path) != first
    other.start_run("build")
    assert cached(root) == {"größe 1.csv": other.file_version(path)}


def test_a_file_that_has_just_been_written_is_not_trusted(root, store):
    path = root / "a.csv"
    path.write_text("aaaa")
    now = path.stat().st_mtime_ns
    first = store.file_version(path)
    write(path, "bbbb", now)
    assert store.file_version(path) != first
    store.start_run("build")
    assert cached(root) == {}


def test_a_folder_is_its_data_files(root, store):
    folder = root / "data"
    write(folder / "day=1" / "a.parquet", "1")
    write(folder / "_day=2" / "b.parquet", "2")
    first = store.file_version(folder)
    write(folder / "_SUCCESS", "")
    write(folder / ".a.parquet.crc", "x")
    write(folder / "_temporary" / "c", "x")
    write(folder / ".hidden" / "c", "x")
    assert store.file_version(folder) == first
    write(folder / "day=1" / "a.parquet", "3", LONG_AGO_NS + 1)
    second = store.file_version(folder)
    write(folder / "day=1" / "c.parquet", "3")
    third = store.file_version(folder)
    (folder / "day=1").rename(folder / "day=7")
    assert len({first, second, third, store.file_version(folder)}) == 4


def test_odd_folders(root, store):
    (root / "empty").mkdir()
    assert store.file_version(root / "empty")
    assert store.file_version(root / "missing") is None
    assert store.file_version(root / "empty" / "missing") is None
    write(root / "loop" / "a", "a")
    (root / "loop" / "again").symlink_to(root / "loop")
    (root / "loop" / "dir").symlink_to(root / "empty")
    assert store.file_version(root / "loop")
    os.mkfifo(root / "pipe")
    with pytest.raises(EnvironmentFault, match="neither a file nor a folder"):
        store.file_version(root / "pipe")
    (root / "loop" / "dangling").symlink_to(root / "nowhere")
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        store.file_version(root / "loop")


def test_names_that_are_no_unicode(root, store):
    write(root / "bad" / os.fsdecode(b"\xff.csv"), "a")
    assert store.file_version(root / "bad")
    store.start_run("build")
    assert list(cached(root)) == ["bad/\\udcff.csv"]


def test_files_outside_the_project(root, store, tmp_path):
    path = write(tmp_path / "outside.csv", "a")
    assert store.file_version(path) == store.file_version(Path("../outside.csv"))
    store.start_run("build")
    assert str(path) in cached(root)


def test_many_files_go_in_one_transaction(root, store):
    for number in range(1200):
        write(root / "many" / f"{number}.csv", str(number))
    version = store.file_version(root / "many")
    store.start_run("build")
    assert len(cached(root)) == 1200
    assert store.file_version(root / "many") == version


def test_threads_ask_at_once(root, store):
    from concurrent.futures import ThreadPoolExecutor

    paths = [write(root / f"{number}.csv", str(number)) for number in range(50)]
    store.start_run("build")
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(store.file_version, paths * 4))
        list(pool.map(lambda _: store.start_run("x"), range(4)))
    assert len(set(versions)) == 50
    assert len(cached(root)) == 50
