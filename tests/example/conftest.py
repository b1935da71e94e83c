"""The root project, built once for all tests of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from example.project import Built, copy_project, run_sqlml


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The example, built. `SQLML_BUILT_EXAMPLE` names a folder where that was done before, for work on these tests."""
    if before := os.environ.get("SQLML_BUILT_EXAMPLE"):
        return Built.of(Path(before))
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "example"
    with FileLock(f"{folder}.lock"):
        if not (folder / "built").exists():
            root = copy_project(folder / "my project")
            finished = run_sqlml(root, "build")
            assert finished.returncode == 0, finished.stdout + finished.stderr
            (folder / "built").touch()
    return Built.of(folder / "my project")
