"""A path goes in, its content's version comes out: hashed once, then looked up by path, size and modification time."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from sqlml.errors import EnvironmentFault
from sqlml.persist.database import Database
from sqlml.persist.tables import FILES

# A file may change twice within one tick of its clock (two seconds on FAT) and look the same.
_TICK_NS: Final = 2_000_000_000
_BATCH: Final = 500


class Known(NamedTuple):
    """The content hash of a file as it was at a size and a modification time."""

    size: int
    mtime_ns: int
    digest: str


class FileVersions:
    """Versions of files; what was hashed is kept in memory until `save` is given a transaction."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root
        self._known: dict[str, Known] | None = None
        self._new: dict[str, Known] = {}
        self._guard = threading.Lock()

    def version(self, path: Path) -> str | None:
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

    def save(self, connection: Connection) -> Mapping[str, Known]:
        """Write what is new to the state; return it for `saved`, which is due once the transaction is committed."""
        with self._guard:
            new = dict(self._new)
        paths = list(new)
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            connection.execute(delete(FILES).where(FILES.c["path"].in_(batch)))
            connection.execute(insert(FILES), [{"path": path, **new[path]._asdict()} for path in batch])
        return new

    def saved(self, written: Mapping[str, Known]) -> None:
        """Forget that `written` was to be written."""
        with self._guard:
            for path, known in written.items():
                if self._new.get(path) == known:
                    del self._new[path]

    def _folder_version(self, folder: Path) -> str:
        whole = hashlib.blake2b(digest_size=32)
        for path in _data_files(folder):
            name = path.relative_to(folder).as_posix()
            whole.update(f"{name}\0{self._file_version(path)}\n".encode("utf-8", "surrogateescape"))
        return whole.hexdigest()

    def _file_version(self, path: Path) -> str:
        key = self._key(path)
        before = path.stat()
        with self._guard:
            known = self._load().get(key)
        if known is not None and (known.size, known.mtime_ns) == (before.st_size, before.st_mtime_ns):
            return known.digest
        with path.open("rb") as data:
            digest = hashlib.file_digest(data, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
        after = path.stat()
        is_at_rest = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        if is_at_rest and abs(time.time_ns() - after.st_mtime_ns) > _TICK_NS:
            entry = Known(after.st_size, after.st_mtime_ns, digest)
            with self._guard:
                self._load()[key] = entry
                self._new[key] = entry
        return digest

    def _load(self) -> dict[str, Known]:
        if self._known is None:
            with self._database.read() as connection:
                rows = connection.execute(select(FILES)) if connection is not None else ()
                self._known = {row.path: Known(row.size, row.mtime_ns, row.digest) for row in rows}
        return self._known

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
