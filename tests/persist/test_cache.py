"""The cache on disk: what comes out is what was put, or nothing."""

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sqlml.ir.location import Places, SourceLocation
from sqlml.persist import cache as cache_module
from sqlml.persist.cache import FileCache


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    share: float = 0.0
    values: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[SourceLocation, ...] = ()


THING = Thing("ä", 0.5, {"b": [1, 2.0, None, True], "a": {"x": "y"}}, (SourceLocation("models/a.sql", 3, None),))


def keep(folder, key="k", value=THING, kind="things"):
    cache = FileCache(folder)
    cache.put(kind, key, value)
    cache.save()


def read(folder, key="k", kind="things"):
    return FileCache(folder).get(kind, key, Thing)


def test_what_was_put_comes_out(tmp_path):
    keep(tmp_path)
    assert repr(read(tmp_path)) == repr(THING)
    assert list(read(tmp_path).values) == ["b", "a"]
    assert read(tmp_path, "other") is None
    assert read(tmp_path, kind="others") is None


def test_it_is_there_before_it_is_saved_and_counted(tmp_path):
    cache = FileCache(tmp_path)
    assert cache.get("things", "k", Thing) is None
    cache.put("things", "k", THING)
    assert cache.get("things", "k", Thing) == THING
    assert cache.counts == {"things": (2, 1)}


def test_a_folder_is_made_only_for_something_new(tmp_path):
    cache = FileCache(tmp_path / "cache")
    cache.get("things", "k", Thing)
    cache.save()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "value",
    [
        Thing("nan", float("nan")),
        Thing("whole", 1),
        Thing("tuple", values={"a": (1, 2)}),
        Thing("big", values={"a": 1 << 70}),
        Thing("object", values={"a": object()}),
        Thing("set", values={"a": {1}}),
        Thing("keys", values={"a": {1: 2}, "b": {"1": 2}}),
    ],
    ids=lambda value: value.name,
)
def test_what_would_not_come_back_whole_is_not_kept(tmp_path, value):
    keep(tmp_path, value=value)
    found = read(tmp_path)
    assert found is None or repr(found) == repr(value)
    if value.name != "keys":
        assert found is None


def files(folder):
    return [path for path in folder.iterdir() if path.is_file()]


def test_a_truncated_file_counts_as_empty(tmp_path):
    keep(tmp_path)
    (file,) = files(tmp_path)
    content = file.read_bytes()
    for length in range(len(content)):
        file.write_bytes(content[:length])
        assert read(tmp_path) is None, length
    keep(tmp_path)
    assert read(tmp_path) == THING


def test_a_damaged_file_counts_as_empty(tmp_path):
    keep(tmp_path)
    (file,) = files(tmp_path)
    content = file.read_bytes()
    for at in range(len(content)):
        file.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        assert read(tmp_path) is None, at


class Poison:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def test_a_poisoned_file_runs_nothing(tmp_path):
    folder, mark = tmp_path / "cache", tmp_path / "poisoned"
    keep(folder)
    (file,) = files(folder)
    poison = pickle.dumps(Poison(mark))
    head = FileCache(folder)
    head.get("things", "k", Thing)
    # As bad as can be: the right head and a right checksum around it.
    for payload in (poison, msgspec.msgpack.encode({"k": poison}), msgspec.msgpack.encode({"k": ["os.mkdir", "x"]})):
        file.write_bytes(head._head + cache_module._checksum(payload) + payload)
        assert read(folder) is None
    file.write_bytes(poison)
    assert read(folder) is None
    assert not mark.exists()
    pickle.loads(poison)
    assert mark.exists(), "the poison is none"


def test_other_code_reads_nothing_of_it(tmp_path, monkeypatch):
    keep(tmp_path)
    monkeypatch.setattr(cache_module, "identify_code", lambda: "0" * 32)
    assert read(tmp_path) is None
    keep(tmp_path)
    monkeypatch.undo()
    assert read(tmp_path) is None


def test_another_shape_reads_nothing_of_it(tmp_path):
    keep(tmp_path)
    assert FileCache(tmp_path).get("things", "k", Places) is None


def test_what_was_not_used_is_dropped_when_there_is_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "_SPARE_BYTES", 3_000)
    for number in range(100):
        keep(tmp_path, f"k{number}", Thing("x" * 1_000))
    assert sum(file.stat().st_size for file in files(tmp_path)) < 6_000
    assert read(tmp_path, "k99") is not None
    assert read(tmp_path, "k98") is not None
    assert read(tmp_path, "k0") is None


def test_what_is_used_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "_SPARE_BYTES", 0)
    keep(tmp_path, "used", Thing("x" * 1_000))
    for number in range(10):
        cache = FileCache(tmp_path)
        assert cache.get("things", "used", Thing) is not None
        cache.put("things", f"k{number}", Thing("x" * 1_000))
        cache.save()
    assert read(tmp_path, "k9") is not None
    assert read(tmp_path, "k0") is None


def test_what_another_process_wrote_in_between_stays(tmp_path):
    first, second = FileCache(tmp_path), FileCache(tmp_path)
    for cache, key in ((first, "first"), (second, "second")):
        cache.put("things", key, THING)
    first.save()
    second.save()
    assert read(tmp_path, "first") == read(tmp_path, "second") == THING


WRITER = """
import sys
from pathlib import Path
from sqlml.ir.location import SourceLocation
from sqlml.persist.cache import FileCache
folder, name = Path(sys.argv[1]), sys.argv[2]
for number in range(60):
    cache = FileCache(folder)
    for key in ("shared", f"{name}{number - 1}"):
        found = cache.get("places", key, SourceLocation)
        assert found is None or found.path == key, found
    cache.put("places", "shared", SourceLocation("shared", number))
    cache.put("places", f"{name}{number}", SourceLocation(f"{name}{number}", number))
    cache.save()
"""


def test_two_processes_at_once_see_whole_files(tmp_path):
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], stderr=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    found = FileCache(tmp_path)
    assert found.get("places", "shared", SourceLocation) is not None
    assert [file.name for file in files(tmp_path)] == ["places.cache"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_costs_nothing_else(tmp_path):
    tmp_path.chmod(0o500)
    keep(tmp_path / "cache")
    assert read(tmp_path / "cache") is None


def test_a_file_in_the_way_costs_nothing_else(tmp_path):
    (tmp_path / "cache").write_text("", encoding="utf-8")
    keep(tmp_path / "cache")
    assert read(tmp_path / "cache") is None


def test_the_code_is_told_apart_by_its_files(tmp_path):
    script = "import sqlml.persist.code_identity as found; print(found.identify_code())"
    package = Path(cache_module.__file__).parents[1]
    copy = tmp_path / "sqlml"
    for path in package.rglob("*.py"):
        target = copy / path.relative_to(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    def identity():
        made = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        return made.stdout

    first = identity()
    assert identity() == first
    with (copy / "compile" / "scopes.py").open("a") as file:
        file.write("\n")
    assert identity() != first
