"""A path goes in, its content's version comes out: hashed once, then looked up by path, size and modification time."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from sqlml.errors import EnvironmentFault
from sqlml.ir.cache import Cache, NoCache

# A file may change twice within one tick of its clock (two seconds on FAT) and look the same.
_TICK_NS: Final = 2_000_000_000
_KIND: Final = "data file hashes"


class Known(NamedTuple):
    """The content hash of a file as it was at a size and a modification time."""

    size: int
    mtime_ns: int
    digest: str


class FileVersions:
    """Versions of the files of a project.

    What was hashed is kept in the cache, which is at hand, and in the state, which lasts: `unsaved` is what it lacks.

    Args:
        read_state: returns what the state knows, by key; called once, and only for a file that the cache does not know.
    """

    def __init__(self, root: Path, read_state: Callable[[], Mapping[str, Known]], cache: Cache | None = None) -> None:
        self._root = root
        self._read_state = read_state
        self._cache = cache or NoCache()
        self._used: dict[str, Known] = {}
        self._guard = threading.Lock()

    def file_version(self, path: Path) -> str | None:
        """Return a hex digest of a file's content, or of a folder's data files (names and contents).

        As in Spark, files and folders whose names begin with `.` or `_` are not data, unless they are partitions
        (`_day=1`).

        Returns:
            None if there is nothing at `path`.

        Raises:
            EnvironmentFault: if something there cannot be read.
        """
        path = self._root / path
        try:
            if path.is_dir():
                return self._folder_version(path)
            if path.is_file():
                return self._file_version(path)
            if not path.exists():
                return None
        except OSError as error:
            raise EnvironmentFault(
                f"'{error.filename or path}' cannot be read: {error.strerror or error}",
                fix="let this user read it",
            ) from error
        raise EnvironmentFault(f"'{path}' is neither a file nor a folder", fix="give the path of data at rest")

    def unsaved(self, saved: Mapping[str, Known]) -> dict[str, Known]:
        """Return what was used by key, as far as it is not in `saved`."""
        with self._guard:
            return {key: known for key, known in self._used.items() if saved.get(key) != known}

    def _folder_version(self, folder: Path) -> str:
        whole = hashlib.blake2b(digest_size=32)
        for path in _data_files(folder):
            name = path.relative_to(folder).as_posix()
            whole.update(f"{name}\0{self._file_version(path)}\n".encode("utf-8", "surrogateescape"))
        return whole.hexdigest()

    def _file_version(self, path: Path) -> str:
        key = self._key(path)
        before = path.stat()
        known = self._find(key, before.st_size, before.st_mtime_ns)
        if known is not None:
            return known.digest
        with path.open("rb") as data:
            digest = hashlib.file_digest(data, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
        after = path.stat()
        is_at_rest = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        if is_at_rest and abs(time.time_ns() - after.st_mtime_ns) > _TICK_NS:
            self._note(key, Known(after.st_size, after.st_mtime_ns, digest))
        return digest

    def _find(self, key: str, size: int, mtime_ns: int) -> Known | None:
        def is_current(known: Known | None) -> bool:
            return known is not None and (known.size, known.mtime_ns) == (size, mtime_ns)

        with self._guard:
            found = self._used.get(key)
            if not is_current(found):
                found = self._cache.get(_KIND, key, Known, is_current)
            if found is None and is_current(found := self._state.get(key)):
                self._cache.put(_KIND, key, found)
            if found is None or not is_current(found):
                return None
            self._used[key] = found
            return found

    def _note(self, key: str, known: Known) -> None:
        with self._guard:
            self._used[key] = known
            self._cache.put(_KIND, key, known)

    @cached_property
    def _state(self) -> Mapping[str, Known]:
        return self._read_state()

    def _key(self, path: Path) -> str:
        # Relative, so that a project that was moved is not hashed again; printable, so that any database takes it.
        inside = path.relative_to(self._root) if path.is_relative_to(self._root) else path
        return inside.as_posix().encode("utf-8", "backslashreplace").decode()


def _data_files(folder: Path) -> list[Path]:
    found: list[Path] = []
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_reraise):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if _is_data(name))
        found.extend(Path(parent) / name for name in names if _is_data(name))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _is_data(name: str) -> bool:
    return not name.startswith(".") and (not name.startswith("_") or "=" in name)


def _reraise(error: OSError) -> None:
    raise error
