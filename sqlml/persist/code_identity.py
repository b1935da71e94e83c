"""Which code is running: nothing goes in, a digest that another version, or an edited file, does not have comes out."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_SITES = ("site-packages", "dist-packages")


def identify_code() -> str:
    """Return a hex digest of Python, of sqlml's own files and of what is installed beside it.

    Files count by path, size and modification time. Each version of a library has a folder of its own among those that
    are installed, which changes the time of the folder around it.
    """
    parts = [sys.version, str(_PACKAGE), *sorted(_own_files(_PACKAGE)), *_sites()]
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _own_files(folder: Path) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _own_files(Path(entry.path))
        elif entry.is_file():
            found = entry.stat()
            yield f"{entry.path}:{found.st_size}:{found.st_mtime_ns}"


def _sites() -> Iterator[str]:
    for site in sys.path:
        if site.endswith(_SITES):
            try:
                yield f"{site}:{os.stat(site).st_mtime_ns}"  # noqa: PTH116
            except OSError:
                # Python skips it, too.
                continue
