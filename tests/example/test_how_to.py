"""The page of two champions prints what commands print, and its commands can be run."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
from types import ModuleType

import click
import pytest

from example.project import ROOT
from sqlml.cli.commands import cli
from sqlml.cli.options import repeat_selectors


@pytest.fixture(scope="module")
def how_to() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_how_to", ROOT / "tools" / "make_how_to.py")
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.long
def test_every_output_is_what_is_printed(how_to, tmp_path):
    page = how_to.PAGE.read_text("utf-8")
    made = how_to.run_page(page, tmp_path / "nycflights")
    assert how_to.without_moments(made) == how_to.without_moments(page), "run tools/make_how_to.py"


def test_every_change_applies_to_the_example(how_to, tmp_path):
    shutil.copytree(ROOT / "models", tmp_path / "models")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    changes = [
        block["body"] for block in how_to.BLOCK.finditer(how_to.PAGE.read_text("utf-8")) if block["kind"] == "diff"
    ]
    assert changes
    for change in changes:
        subprocess.run(["git", "apply", "--recount", "-"], cwd=tmp_path, input=change, text=True, check=True)


def test_every_command_has_the_options_that_it_is_given(how_to):
    blocks = how_to.BLOCK.finditer(how_to.PAGE.read_text("utf-8"))
    lines = [line for block in blocks for line in block["body"].splitlines() if line.startswith("$ sqlml ")]
    assert len(lines) > 5
    for line in lines:
        words = list(repeat_selectors(shlex.split(line.partition("|")[0].partition(";")[0])[2:]))
        command: click.Command = cli
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        # What says which options ask for help; click keeps those of the first call.
        around = cli.make_context("sqlml", ["ls"])
        assert command.make_context(command.name, words, parent=around).params
