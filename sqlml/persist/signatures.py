"""`signature.json` beside a fitted model: what it reads and returns, and the checksums of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from sqlml.errors import StateError
from sqlml.ir.state import Signature
from sqlml.persist import codec

SIGNATURE_FILE: Final = "signature.json"


def write_signature(folder: Path, signature: Signature) -> None:
    """Write `signature.json` into a version's folder unless it is there: the signature's fields and `checksums`.

    `checksums` maps each file's path, relative to the folder, to its SHA-256.

    Raises:
        StateError: if the folder is gone or cannot be written.
    """
    target = folder / SIGNATURE_FILE
    if target.exists():
        return
    try:
        checksums = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as data:
                    checksums[path.relative_to(folder).as_posix()] = hashlib.file_digest(data, "sha256").hexdigest()
        fields = codec.loads(codec.dumps(signature))
        target.write_text(codec.dumps({**fields, "checksums": checksums}, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"the fitted model in '{folder}' cannot be completed: {error.strerror or error}",
            fix="see what else changes the warehouse, then build again",
        ) from error
