"""Opens the text files that Spark's csv and json readers read: paths and reader options in, their lines out."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, cast

Options = Mapping[str, str]
"""Options of Spark's reader, their names in lower case."""


def open_text(file: Path, options: Options) -> IO[str]:
    """Open a text file, also a gzipped one; a line ends where Hadoop ends it, at any of the three line ends."""
    encoding = options.get("encoding", options.get("charset", "utf-8"))
    encoding = "utf-8-sig" if is_utf8(options) else encoding
    if file.suffix == ".gz":
        return cast(IO[str], gzip.open(file, "rt", encoding=encoding, newline=""))
    return file.open(encoding=encoding, newline="")


def is_utf8(options: Options) -> bool:
    """Return whether the options name no other encoding."""
    return options.get("encoding", options.get("charset", "utf-8")).lower().replace("-", "") == "utf8"


def size_of(files: Iterable[Path]) -> int:
    """Return the bytes of all files; a gzipped one counts ten times, which is what it may hold."""
    return sum(file.stat().st_size * (10 if file.suffix == ".gz" else 1) for file in files)
