"""Relations: files and what YAML declares of them in, Source, Seed and SqlModel out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import Places
from sqlml.ir.project import Seed, Source, SqlModel
from sqlml.parse.declared import DeclaredRelation, Faults
from sqlml.parse.files import FoundFile, read_text
from sqlml.parse.folder_defaults import FolderDefaults, merge_config
from sqlml.parse.identifiers import check_file_name
from sqlml.parse.subject import Subject

_FORMATS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".orc": "orc"}
SEED_ENDINGS = (".csv", ".parquet", ".json")


def locate_source(source: Source, root: Path, seed_paths: Iterable[str], errors: list[SqlmlError]) -> Source:
    """Return a source with its format; what is wrong with its path goes to `errors`."""
    title = f"source '{source.source_name}.{source.name}'"
    subject = Subject(title, "sources.tables", source.places)
    return replace(source, format=_check_path(source, root, seed_paths, subject, errors))


def _check_path(
    source: Source, root: Path, seed_paths: Iterable[str], subject: Subject, errors: list[SqlmlError]
) -> str:
    """Return the format of a source, given or by its endings; what is wrong goes to `errors`."""
    if "://" in source.path or source.path.startswith("file:"):
        errors.append(
            subject.value_error("path", f"'path: {source.path}' is not supported yet", "give a path on this machine")
        )
        return ""
    path = Path(os.path.normpath(root / source.path))
    # Unlike Path.exists, it takes a name that no file can have.
    if not os.path.exists(path):  # noqa: PTH110
        errors.append(subject.value_error("path", f"path '{source.path}' does not exist", _near_file(root, path)))
        return ""
    for seeds in seed_paths:
        if path.is_relative_to(os.path.normpath(root / seeds)):
            fix = f"move it out of '{seeds}/', or read it with ref('{path.stem}') and remove this source"
            errors.append(subject.value_error("path", f"path '{source.path}' lies among the seeds", fix))
    if source.format:
        return source.format
    endings = _endings(path)
    formats = {_FORMATS[ending] for ending in endings if ending in _FORMATS}
    if len(formats) == 1 and len(endings) == 1:
        return formats.pop()
    found = f"its files end with {', '.join(sorted(endings))}" if endings else "it holds no files"
    what = f"the format of '{source.path}' is not clear: {found}"
    errors.append(
        subject.value_error("path", what, f"add 'format:' with one of: {', '.join(sorted(_FORMATS.values()))}")
    )
    return ""


def _near_file(root: Path, path: Path) -> str:
    if any(character in path.name for character in "*?["):
        return "a pattern is not supported yet: name a file or a folder"
    folder = path.parent
    shown = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)
    if not folder.is_dir():
        return f"there is no folder '{shown}'; paths are relative to the project's folder"
    return suggest(path.name, (entry.name for entry in folder.iterdir()), f"'{shown}' holds")


def _endings(path: Path) -> set[str]:
    """Return the endings of a file, or of all files in a folder that Spark would read."""
    if path.is_file():
        return {path.suffix.lower() or "nothing"}
    endings: set[str] = set()
    for _, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        endings |= {Path(name).suffix.lower() or "nothing" for name in names if not name.startswith(("_", "."))}
    return endings


@dataclass(frozen=True, slots=True)
class Described:
    """What the project says of the files of one kind.

    Attributes:
        entries: those of the YAML files, by the name of their file.
        faults: what is wrong inside of entries.
        defaults: settings by folder.
    """

    entries: Mapping[str, DeclaredRelation]
    faults: Faults
    defaults: FolderDefaults

    def of(self, file: FoundFile, errors: list[SqlmlError]) -> tuple[DeclaredRelation | None, dict[str, Any]]:
        """Return what is said of a file, None if it is disabled, with its settings."""
        declared = self.entries.get(file.stem) or DeclaredRelation("models", file.stem, Places(file.place))
        config = merge_config(self.defaults.of(file.folders, file.stem), declared.config)
        if config.get("enabled") is False:
            return None, config
        errors.extend(self.faults.get(declared.places.whole, ()))
        return declared, config


def read_seeds(files: Sequence[FoundFile], described: Described, errors: list[SqlmlError]) -> list[Seed]:
    """Return a seed for each data file, with what its YAML entry says."""
    seeds: list[Seed] = []
    for file in files:
        check_file_name(file, "seed", errors)
        declared, config = described.of(file, errors)
        if declared is not None:
            seed = Seed(
                name=file.stem,
                path=file.path,
                format=_FORMATS[file.ending],
                places=replace(declared.places, whole=file.place),
                options=declared.options,
                columns=declared.columns,
                tests=declared.tests,
                description=declared.description,
                tags=config.get("tags", ()),
            )
            seeds.append(seed)
    return seeds


def read_sql_models(
    root: Path, files: Sequence[FoundFile], described: Described, errors: list[SqlmlError]
) -> list[SqlModel]:
    """Return a SQL model for each file, with what its YAML entry says."""
    sql_models: list[SqlModel] = []
    for file in files:
        check_file_name(file, "sql model", errors)
        declared, config = described.of(file, errors)
        text = None if declared is None else read_text(root, file.path, errors)
        if declared is None or text is None:
            continue
        if not text.strip():
            what, fix = f"sql model '{file.stem}' is an empty file", "write a SELECT, or remove the file"
            errors.append(ParseError(what, file.place, fix))
        sql_model = SqlModel(
            name=file.stem,
            path=file.path,
            text=text,
            places=replace(declared.places, whole=file.place),
            config=config,
            columns=declared.columns,
            tests=declared.tests,
            description=declared.description,
        )
        sql_models.append(sql_model)
    return sql_models
