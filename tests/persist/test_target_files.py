"""Files of target/: what is there already is left alone, and nothing else stays."""

import os

import pytest

from sqlml.errors import EnvironmentFault
from sqlml.ir.cache import NoCache
from sqlml.persist.cache import FileCache
from sqlml.persist.target_files import write_file, write_folder

TEXTS = {"models/a.sql": "select 1", "models/marts/b.sql": "select 'ä'", "data_tests/t.sql": "select 2\n"}


def texts(folder):
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    return found, {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_dir()}


@pytest.fixture
def sync(tmp_path):
    def _sync(wanted):
        cache = FileCache(tmp_path / "cache")
        write_folder(tmp_path / "compiled", wanted, cache)
        cache.save()
        return texts(tmp_path / "compiled")

    return _sync


def stamps(folder):
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*.sql")}


def test_what_is_there_is_not_written_again(sync, tmp_path):
    assert sync(TEXTS) == (TEXTS, {"models", "models/marts", "data_tests"})
    before = stamps(tmp_path)
    assert sync(TEXTS)[0] == TEXTS
    assert stamps(tmp_path) == before


def test_only_what_changed_is_written(sync, tmp_path):
    sync(TEXTS)
    before = stamps(tmp_path)
    changed = {**TEXTS, "models/a.sql": "select 9"}
    assert sync(changed)[0] == changed
    after = stamps(tmp_path)
    assert {path.name for path in after if after[path] != before[path]} == {"a.sql"}


def test_what_is_no_longer_wanted_goes_with_its_folders(sync, tmp_path):
    sync(TEXTS)
    (tmp_path / "compiled" / "models" / "mine.txt").write_text("x")
    assert sync({"models/a.sql": "select 1"}) == ({"models/a.sql": "select 1"}, {"models"})
    assert sync({}) == ({}, set())


@pytest.mark.parametrize("text", ["select 1 ", "SELECT 1", ""])
def test_what_was_edited_is_written_again(sync, tmp_path, text):
    sync(TEXTS)
    (tmp_path / "compiled" / "models" / "a.sql").write_text(text)
    assert sync(TEXTS)[0] == TEXTS


def test_what_was_removed_is_written_again(sync, tmp_path):
    sync(TEXTS)
    (tmp_path / "compiled" / "models" / "a.sql").unlink()
    assert sync(TEXTS)[0] == TEXTS


def test_a_folder_where_a_file_shall_be_and_a_file_where_a_folder_shall_be(sync):
    sync({"a/b.sql": "1", "c.sql": "2"})
    assert sync({"a": "1", "c.sql/d": "2"}) == ({"a": "1", "c.sql/d": "2"}, {"c.sql"})


def test_without_a_cache_all_is_written(tmp_path):
    for _ in range(2):
        write_folder(tmp_path / "compiled", TEXTS, NoCache())
        assert texts(tmp_path / "compiled")[0] == TEXTS


def test_a_file_with_its_content_is_left_alone(tmp_path):
    path = tmp_path / "target" / "manifest.json"
    write_file(path, b"{}\n")
    before = path.stat()
    write_file(path, b"{}\n")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    write_file(path, b"[]\n")
    assert path.read_bytes() == b"[]\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["manifest.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_folder(tmp_path / "compiled", TEXTS, NoCache())


def test_a_file_in_the_way_of_target_is_named(tmp_path):
    (tmp_path / "target").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_folder(tmp_path / "target" / "compiled", TEXTS, NoCache())
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_file(tmp_path / "target" / "manifest.json", b"")
