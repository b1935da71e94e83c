"""Projects for these tests; one good build is made once and copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from life.project import Commands, Project, scratch_of


@pytest.fixture(scope="session")
def warm_commands(tmp_path_factory: pytest.TempPathFactory, class_archive: None) -> Iterator[Commands]:
    """A process whose commands share one Spark session."""
    commands = Commands(tmp_path_factory.mktemp("warm"), is_warm=True)
    yield commands
    commands.close()


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, warm_commands: Commands) -> Project:
    """A project with one good build, not to be changed: copy it."""
    project = Project.new(tmp_path_factory.mktemp("good") / "a project", warm_commands)
    project.build()
    return project


@pytest.fixture
def copy(tmp_path: Path, warm_commands: Commands) -> Callable[[Project, str], Project]:
    """Copy projects into the test's folder."""
    return lambda project, name: project.copy(tmp_path / name, warm_commands)


@pytest.fixture
def cold(good: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of the good project whose commands start a JVM each, if they need one."""
    commands = Commands(scratch_of(tmp_path / "cold"))
    yield good.copy(tmp_path / "cold", commands)
    commands.close()


@pytest.fixture
def fresh(tmp_path: Path, warm_commands: Commands) -> Project:
    """A project that was never built."""
    return Project.new(tmp_path / "a project", warm_commands)
