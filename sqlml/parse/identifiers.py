"""Names that SQL takes without quotes: what they look like, and how to make one of another name."""

from __future__ import annotations

import re
import unicodedata

from sqlml.errors import ParseError, SqlmlError
from sqlml.parse.files import FoundFile

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def identifier_fix(value: str) -> str:
    """Return how to make a name of `value`."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", value) if not unicodedata.combining(letter))
    candidate = re.sub(r"\W+", "_", plain, flags=re.ASCII).strip("_")
    candidate = f"_{candidate}" if candidate[:1].isdigit() else candidate
    hint = f", such as '{candidate}'" if candidate else ""
    return f"use letters, digits and _ only, no digit first{hint}"


def check_file_name(file: FoundFile, noun: str, errors: list[SqlmlError]) -> None:
    """Add an error if the file's name cannot be the name of a relation."""
    if not IDENTIFIER.fullmatch(file.stem):
        what = f"{noun} '{file.stem}' takes its name from its file, and this is no name"
        errors.append(ParseError(what, file.place, f"rename the file: {identifier_fix(file.stem)}"))
