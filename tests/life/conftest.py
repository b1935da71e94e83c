"""Projects for these tests; one good build is made once and copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from life.project import Project


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, class_archive: None) -> Iterator[Project]:
    """A project with one good build, not to be changed: copy it."""
    project = Project.new(tmp_path_factory.mktemp("good") / "a project")
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
def fresh(tmp_path: Path, class_archive: None) -> Iterator[Project]:
    """A project that was never built."""
    project = Project.new(tmp_path / "a project")
    yield project
    project.close()
