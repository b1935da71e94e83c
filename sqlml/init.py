"""sqlml init: a small project that builds at once."""

from __future__ import annotations

import re
import shutil
import unicodedata
from importlib import resources
from pathlib import Path

from sqlml.errors import CommandError, EnvironmentFault

# YAML reads them as something else than text.
_YAML_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


def init(folder: Path) -> Path:
    """Write the starter project into `folder`, named after it, and return its path.

    Raises:
        CommandError: the folder is not empty.
        EnvironmentFault: it cannot be written.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(f"'{folder}' is not empty", fix="name a new folder")
    name = _project_name(folder.name)
    try:
        with resources.as_file(resources.files("sqlml") / "starter") as starter:
            shutil.copytree(starter, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "gitignore").rename(folder / ".gitignore")
        project_file = folder / "sqlml_project.yml"
        project_file.write_text(project_file.read_text(encoding="utf-8").replace("starter", name), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"'{folder}' cannot be written: {error.strerror}") from error
    return folder


def _project_name(folder: str) -> str:
    """Return a name for the project in a folder of any name: `Première démo` -> `premiere_demo`."""
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "project"
    return name if name[0].isalpha() and name not in _YAML_WORDS else f"project_{name}"
