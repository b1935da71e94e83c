"""sqlml init: a small project that builds at once, and the schemas with which editors complete YAML."""

from __future__ import annotations

import json
import os
import re
import shutil
import unicodedata
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sqlml.errors import CommandError, EnvironmentFault, SqlmlError

# YAML reads them as something else than text.
_YAML_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")

SCHEMA_FOLDER = ".sqlml/schemas"


@dataclass(frozen=True, slots=True)
class WrittenSchemas:
    """What was written, and where nothing points to it yet.

    Attributes:
        files: the schemas.
        unlinked: YAML file (relative to the project) to the line that it lacks at its top.
    """

    files: tuple[Path, ...]
    unlinked: dict[str, str]


def init(folder: Path) -> Path:
    """Write the starter project into `folder`, named after it, and return its path.

    Raises:
        CommandError: the folder is not empty, or a file.
        EnvironmentFault: it cannot be written.
    """
    folder = folder.resolve()
    if folder.is_file():
        raise CommandError(f"'{folder}' is a file", fix="name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        fix = "name a new folder; 'sqlml init --schemas' writes the schemas of a project that is there"
        raise CommandError(f"'{folder}' is not empty", fix=fix)
    name = _project_name(folder.name)
    try:
        with resources.as_file(resources.files("sqlml") / "starter") as starter:
            shutil.copytree(starter, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "gitignore").rename(folder / ".gitignore")
        project_file = folder / "sqlml_project.yml"
        project_file.write_text(project_file.read_text(encoding="utf-8").replace("starter", name), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"'{folder}' cannot be written: {error.strerror}") from error
    _write_schemas(folder)
    return folder


def refresh_schemas(folder: Path) -> WrittenSchemas:
    """Write the schemas of this sqlml into the project that holds `folder`; its other files stay as they are.

    Raises:
        CommandError: there is no project.
        EnvironmentFault: they cannot be written.
    """
    from sqlml.parse import ParseRequest, find_project_root, find_yaml_files

    root = find_project_root(folder)
    files = _write_schemas(root)
    try:
        paths = find_yaml_files(ParseRequest(root, environment=os.environ))
    except SqlmlError:
        # The schemas help to mend what is wrong there.
        paths = ()
    return WrittenSchemas(files, {path: _link(path) for path in paths if not _has_link(root / path)})


def _write_schemas(root: Path) -> tuple[Path, ...]:
    from sqlml.parse.editor_schemas import project_file_schema, yaml_file_schema

    folder = root / SCHEMA_FOLDER
    texts = {"project.json": project_file_schema(), "models.json": yaml_file_schema()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in texts.items():
            (folder / name).write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"'{folder}' cannot be written: {error.strerror}") from error
    return tuple(folder / name for name in texts)


def _link(path: str) -> str:
    """Return the comment that leads an editor from the YAML file `path` to its schema."""
    name = "models.json" if "/" in path else "project.json"
    return f"# yaml-language-server: $schema={'../' * path.count('/')}{SCHEMA_FOLDER}/{name}"


def _has_link(file: Path) -> bool:
    return "yaml-language-server: $schema=" in file.read_text(encoding="utf-8", errors="replace")


def _project_name(folder: str) -> str:
    """Return a name for the project in a folder of any name: `Première démo` -> `premiere_demo`."""
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "project"
    return name if name[0].isalpha() and name not in _YAML_WORDS else f"project_{name}"
