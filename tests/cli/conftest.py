"""One starter project, made and built by real processes in a folder with a space and a letter beyond ASCII."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sqlml.cli import run


@pytest.fixture(scope="session")
def sqlml() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a process of its own."""

    def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sqlml", *arguments]
        env = os.environ | {"PYTHONIOENCODING": "utf-8"} | environment
        return subprocess.run(
            command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=300, env=env, check=False
        )

    return start


@pytest.fixture(scope="session")
def made(sqlml, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter project as `sqlml init` leaves it."""
    above = tmp_path_factory.mktemp("cli") / "my prójects"
    above.mkdir()
    done = sqlml("init", "first démo", cwd=above)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote {above / 'first démo'}\nnext: cd 'first démo' && sqlml build\n"
    return above / "first démo"


@pytest.fixture(scope="session")
def first_build(made: Path, sqlml) -> subprocess.CompletedProcess[str]:
    return sqlml("build", cwd=made)


@pytest.fixture(scope="session")
def built(made: Path, first_build) -> Path:
    """The starter project after its first build; tests leave it as it is."""
    assert first_build.returncode == 0, first_build.stdout + first_build.stderr
    return made


class Shell:
    """Commands in this process, in one project."""

    def __init__(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.project = project
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command that ends with `code`, and return what it printed: its output, or its error if it failed."""
        self._capsys.readouterr()
        given = [*arguments, "--project-dir", str(self.project)]
        ended = run(given)
        shown = self._capsys.readouterr()
        assert ended == code, shown.out + shown.err
        assert "Traceback" not in shown.err
        if code == 0:
            assert shown.err == ""
        return shown.out if code == 0 else shown.err


@pytest.fixture
def shell(built: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(built, capsys)
