"""`record.json` beside a fitted model: what it was made of; and the commit of git that the project was at."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlml.errors import StateError
from sqlml.ir.records import Commit, VersionRecord
from sqlml.ir.state import Version
from sqlml.persist import codec
from sqlml.persist.warehouse import WAREHOUSE

RECORD_FILE: Final = "record.json"
_TIMEOUT_S: Final = 30


def write_record(folder: Path, record: VersionRecord, root: Path) -> None:
    """Write `record.json` into a version's folder, with the commit that the project in `root` is at.

    Raises:
        StateError: if the folder is gone or cannot be written.
    """
    text = codec.dumps(replace(record, commit=find_commit(root)), indent=1)
    try:
        (folder / RECORD_FILE).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"the record of '{folder}' cannot be written: {error.strerror or error}",
            fix="see what else changes the warehouse, then build again",
        ) from error


def read_record(version: Version) -> VersionRecord | None:
    """Return what a version was made of; None for one of an older sqlml, which wrote none.

    Raises:
        StateError: it cannot be read.
    """
    path = Path(version.location) / RECORD_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"'{path}' cannot be read: {error.strerror or error}", fix="restore it") from error
    restored: VersionRecord = codec.restore(VersionRecord, codec.loads(text))
    return restored


def find_commit(root: Path) -> Commit | None:
    """Return the commit that the project in `root` is at; None where git is not there or does not know the folder.

    What lies in the warehouse and in `target/` does not make it dirty: a build writes there.
    """
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return None
    changed = _git(root, "status", "--porcelain", "--", ".", f":(exclude){WAREHOUSE}", ":(exclude)target")
    return Commit(commit.strip(), bool(changed))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        # Without a lock: it must not stand in the way of what the user does at the same time.
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
