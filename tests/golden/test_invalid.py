"""Broken projects: each folder under `invalid/` in, the whole text of its errors out."""

import os
from pathlib import Path

import pytest

from sqlml.compile import compile_dag
from sqlml.errors import SqlmlError, flatten, format_error
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project
from sqlml.source_text import SourceText

INVALID = Path(__file__).parent / "invalid"


def check(project_dir: Path) -> str:
    """Return what a user reads when the project is compiled; an empty text if nothing is wrong with it."""
    try:
        compile_dag(resolve_project(parse_project(ParseRequest(project_dir))), {})
    except SqlmlError as error:
        assert all(single.location is not None and single.fix for single in flatten([error]))
        return format_error(error, lines_of=SourceText(project_dir)) + "\n"
    return ""


@pytest.mark.parametrize("case", sorted(path.name for path in INVALID.iterdir()))
def test_invalid_project(case):
    text = check(INVALID / case).replace(str(INVALID / case), "<project>")
    expected = INVALID / case / "expected.txt"
    if os.environ.get("GOLDEN_UPDATE") == "1":
        expected.write_text(text, encoding="utf-8")
    assert text, "the project is valid"
    assert text == expected.read_text(encoding="utf-8")
