"""sqlml clean: empty `target/`, which can be made again; the warehouse is never touched."""

from __future__ import annotations

import shutil
from pathlib import Path


def clean(project_dir: Path) -> Path:
    """Remove the project's `target/` folder and return its path.

    Raises:
        ParseError: there is no project at or above `project_dir`.
        EnvironmentFault: it cannot be removed.
    """
    from sqlml.errors import EnvironmentFault
    from sqlml.parse import find_project_root

    target = find_project_root(project_dir) / "target"
    try:
        if target.is_symlink() or target.is_file():
            # What a link leads to may be shared.
            target.unlink()
        elif target.exists():
            shutil.rmtree(target)
    except OSError as error:
        raise EnvironmentFault(f"'{error.filename}' cannot be removed: {error.strerror}") from error
    return target
