"""Writes files of `target/`: texts by path in; what is there already stays, what should not be there is removed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlml.errors import EnvironmentFault
from sqlml.ir.cache import Cache, key_of

_DRAFT = ".new"
# Longer than anyone takes to write one file: what is older was left by a crash.
_STALE_S = 600

Stamp = tuple[int, int]
"""Size and modification time (ns) of a file."""


@dataclass(frozen=True, slots=True)
class _Written:
    """Each file of a folder by path, as it was when it was written: its stamp and a digest of its text."""

    files: Mapping[str, tuple[Stamp, str]]


def write_folder(folder: Path, texts: Mapping[str, str], cache: Cache) -> None:
    """Make a folder hold `texts` by path (with forward slashes) and nothing else.

    A file that looks as it did when its text was written is left alone.

    Raises:
        EnvironmentFault: if something there cannot be written.
    """
    kept = cache.get("written files", folder.name, _Written)
    known = {} if kept is None else kept.files
    with _explained(folder):
        try:
            written = _write_folder(folder, texts, known)
        except (IsADirectoryError, NotADirectoryError, FileExistsError):
            # Where there was a file there shall be a folder, or the other way round.
            shutil.rmtree(folder, ignore_errors=True)
            written = _write_folder(folder, texts, {})
    if written != known:
        cache.put("written files", folder.name, _Written(written))


def _write_folder(
    folder: Path, texts: Mapping[str, str], known: Mapping[str, tuple[Stamp, str]]
) -> dict[str, tuple[Stamp, str]]:
    found = dict(_stamps(str(folder), ""))
    _remove_others(folder, found, texts)
    made: set[str] = set()
    written: dict[str, tuple[Stamp, str]] = {}
    for path, text in texts.items():
        digest = key_of(text)
        entry = known.get(path)
        if entry is None or entry != (found.get(path), digest):
            above = path.rpartition("/")[0]
            if above not in made:
                made.add(above)
                (folder / above).mkdir(parents=True, exist_ok=True)
            entry = (_replace(f"{folder}/{path}", text.encode("utf-8")), digest)
        written[path] = entry
    return written


def _stamps(folder: str, prefix: str) -> Iterator[tuple[str, Stamp]]:
    """Yield the files below a folder with their stamps; what another process is writing or has removed is left out."""
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from _stamps(entry.path, f"{prefix}{entry.name}/")
                continue
            with suppress(FileNotFoundError):
                stat = entry.stat(follow_symlinks=False)
                if not entry.name.endswith(_DRAFT) or time.time() - stat.st_mtime > _STALE_S:
                    yield f"{prefix}{entry.name}", (stat.st_size, stat.st_mtime_ns)


def _remove_others(folder: Path, found: Iterable[str], wanted: Mapping[str, str]) -> None:
    others = [path for path in found if path not in wanted]
    for path in others:
        (folder / path).unlink(missing_ok=True)
    # Deepest first; one that holds something stays.
    above = {parent for path in others for parent in PurePosixPath(path).parents}
    for parent in sorted(above, key=lambda parent: len(parent.parts), reverse=True):
        with suppress(OSError):
            (folder / parent).rmdir()


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that a reader never sees half of it; not if it has this content.

    Raises:
        EnvironmentFault: if it cannot be written.
    """
    with _explained(path):
        with suppress(OSError):
            if path.stat().st_size == len(content) and path.read_bytes() == content:
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(str(path), content)


def _replace(path: str, content: bytes) -> Stamp:
    # Not by Path, which takes longer than the writing where there are thousands of files.
    draft = f"{path}.{os.getpid()}{_DRAFT}"
    with open(draft, "wb", buffering=0) as file:  # noqa: PTH123
        file.write(content)
        stat = os.fstat(file.fileno())
    os.replace(draft, path)  # noqa: PTH105
    return (stat.st_size, stat.st_mtime_ns)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(f"'{error.filename or path}' cannot be written: {error.strerror or error}") from error
