"""Projects for these tests; one good build is made once and copied."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from life.project import Project
from sqlml.run.class_archive import can_archive, class_archive_path
from sqlml.run.java import find_java
from sqlml.run.jvm import find_spark_home

MAKE_ARCHIVE = """
import sys
from pathlib import Path
from sqlml.run.class_training import make_class_archive
make_class_archive(Path(sys.argv[1]))
"""


@pytest.fixture(scope="session")
def java_environment(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, str]]:
    """What lets the many JVMs of these tests start in half of the time: an archive of Spark's classes, made once."""
    java = find_java(os.environ)
    # Making it costs as much as ten starts without it.
    are_few = sum(item.get_closest_marker("spark") is not None for item in request.session.items) < 10
    if are_few or class_archive_path(java, find_spark_home()).is_file() or not can_archive(java):
        yield {}
        return
    cache = tmp_path_factory.mktemp("cache")
    environment = {"XDG_CACHE_HOME": str(cache)}
    arguments = [sys.executable, "-c", MAKE_ARCHIVE, str(cache / "logs")]
    made = subprocess.run(arguments, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    yield environment
    # It takes 200 MB.
    shutil.rmtree(cache)


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, java_environment: dict[str, str]) -> Iterator[Project]:
    """A project with one good build, not to be changed: copy it."""
    project = Project.new(tmp_path_factory.mktemp("good") / "a project", java_environment)
    project.build()
    project.close()
    yield project


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Callable[[Project, str], Project]]:
    """Copy projects into the test's folder; their processes end with the test."""
    copies: list[Project] = []

    def made(project: Project, name: str) -> Project:
        copies.append(project.copy(tmp_path / name))
        return copies[-1]

    yield made
    for project in copies:
        project.close()


@pytest.fixture
def fresh(tmp_path: Path, java_environment: dict[str, str]) -> Iterator[Project]:
    """A project that was never built."""
    project = Project.new(tmp_path / "a project", java_environment)
    yield project
    project.close()
