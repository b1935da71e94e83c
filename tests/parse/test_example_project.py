"""The root project parses; broken in every way, it is refused in words and never with a traceback."""

import random
import shutil
from pathlib import Path

import pytest

from sqlml.errors import SqlmlError, flatten, format_error
from sqlml.parse import ParseRequest, parse_project

ROOT = Path(__file__).parents[2]
PARTS = ("models", "macros", "seeds", "data_tests", "sqlml_project.yml")


def test_the_root_project_parses():
    project = parse_project(ParseRequest(ROOT))
    assert project.name == "nycflights"
    assert {ml_model.name for ml_model in project.ml_models} >= {"late_arrival", "arrival_delay", "route_groups"}
    assert {"stg_flights", "flight_features"} <= {sql_model.name for sql_model in project.sql_models}


@pytest.fixture
def copy(tmp_path):
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / part)
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


def break_text(text, chance):
    """Return `text` with one small thing wrong."""
    lines = text.split("\n")
    position = chance.randrange(len(lines))
    line = lines[position]
    kind = chance.randrange(6)
    if kind == 0:
        del lines[position]
    elif kind == 1:
        lines.insert(chance.randrange(len(lines)), line)
    elif kind == 2:
        lines[position] = " " * chance.randrange(4) + line
    else:
        at = chance.randrange(len(line) + 1)
        new = "" if kind == 3 else chance.choice("{}[]:'\"*&!%@-,#|>\t\x00é ~?<")
        lines[position] = line[:at] + new + line[at + (kind != 5) :]
    return "\n".join(lines)


def test_broken_yaml_is_told_in_words(copy):
    chance = random.Random(7)
    files = [*sorted(copy.glob("models/**/*.yml")), copy / "sqlml_project.yml"]
    n_refused = 0
    for _ in range(80):
        file = chance.choice(files)
        text = file.read_text(encoding="utf-8")
        file.write_text(break_text(text, chance), encoding="utf-8")
        try:
            parse_project(ParseRequest(copy))
        except SqlmlError as error:
            n_refused += 1
            for single in flatten([error]):
                assert single.location is not None, format_error(single)
                assert (copy / single.location.path).exists(), format_error(single)
        file.write_text(text, encoding="utf-8")
    assert n_refused > 25
