"""sqlml debug: what a build would run on, and why; starts no JVM."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sqlml import __version__
from sqlml.build import Request, load_project, open_project_store
from sqlml.errors import EnvironmentFault, SqlmlError, format_error


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the report."""

    name: str
    value: str
    is_good: bool = True


def debug(request: Request) -> tuple[Fact, ...]:
    """Return what sqlml found: its own and its libraries' versions, Java, memory, project, target and warehouse."""
    from sqlml.run.memory import default_heap
    from sqlml.run.session import available_cores

    heap, project = _project(request)
    versions = [Fact(name, metadata.version(name)) for name in ("pyspark", "sqlglot", "sqlalchemy")]
    return (
        Fact("sqlml", __version__),
        Fact("python", platform.python_version()),
        *versions,
        _java(),
        Fact("cores", str(available_cores())),
        Fact("heap", heap or default_heap()),
        *project,
    )


def make_class_archive(request: Request) -> Path:
    """Make Java's archive of Spark's classes, with which later sessions start in less time; return its path.

    Raises:
        EnvironmentFault: there is no Java, or it cannot make archives.
        ParseError: there is no project, whose `target/logs` takes the log.
    """
    from sqlml.parse import find_project_root
    from sqlml.run.class_training import make_class_archive as make

    return make(find_project_root(request.project_dir) / "target" / "logs")


def _java() -> Fact:
    from sqlml.run.java import find_java

    try:
        java = find_java(os.environ)
    except EnvironmentFault as error:
        return Fact("java", format_error(error), is_good=False)
    return Fact("java", f"{java.version} at {java.executable} ({java.reason})")


def _project(request: Request) -> tuple[str | None, list[Fact]]:
    """Return the heap that the target asks for, and what there is to say of the project."""
    try:
        project = load_project(request)
        snapshot = open_project_store(project).snapshot()
    except SqlmlError as error:
        return None, [Fact("project", format_error(error), is_good=False)]
    built = f"{len(snapshot.outputs)} relations and {len(snapshot.versions)} ml models built"
    return project.target.memory, [
        Fact("project", f"'{project.name}' in {project.root}"),
        Fact("target", f"'{project.target.name}', schema '{project.target.schema}'"),
        Fact("warehouse", f"{project.root / 'warehouse'}: {built}"),
    ]
