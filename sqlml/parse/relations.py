"""Relations: files and the entries of `sources:`, `seeds:` and `models:` in, Source, Seed and SqlModel out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import ColumnSpec, DataTest, Known, Seed, Source, SqlModel
from sqlml.parse.data_tests import Relation, read_data_tests
from sqlml.parse.entries import Declared
from sqlml.parse.files import FoundFile, read_text
from sqlml.parse.folder_defaults import FolderDefaults, given_config, merge_config
from sqlml.parse.problems import Subject, validate
from sqlml.parse.specs import ColumnEntry, SeedSpec, SourceSpec, SourceTableSpec, SqlModelSpec
from sqlml.parse.value_types import IDENTIFIER, identifier_fix

_FORMATS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".orc": "orc"}
SEED_ENDINGS = (".csv", ".parquet", ".json")


def read_columns(
    columns: Sequence[ColumnEntry], relation: Relation
) -> tuple[tuple[ColumnSpec, ...], tuple[DataTest, ...]]:
    """Return the columns of a relation and their data tests; a column declared twice is an error."""
    specs: dict[str, ColumnSpec] = {}
    tests: list[DataTest] = []
    for position, column in enumerate(columns):
        path = f"columns.{position}"
        place = relation.places.of(path)
        first = specs.get(column.name.lower())
        if first is not None:
            relation.errors.append(_declared_twice(relation, column.name, first, place))
            continue
        known = None if column.known is None else Known(column.known.at)
        specs[column.name.lower()] = ColumnSpec(column.name, place, column.data_type, column.description, known)
        tests += read_data_tests(relation, column.name, column.data_tests, f"{path}.data_tests")
        tests += read_data_tests(relation, column.name, column.tests, f"{path}.tests")
    return tuple(specs.values()), tuple(tests)


def _declared_twice(relation: Relation, name: str, first: ColumnSpec, place: SourceLocation) -> ParseError:
    what = f"{relation.name}: column '{name}' is declared twice, first as '{first.name}' in line {first.location.line}"
    fix = "Spark does not tell capital letters apart: rename one" if first.name != name else "remove one of the two"
    return ParseError(what, place, fix)


def read_source(declared: Declared, root: Path, seed_paths: Iterable[str], errors: list[SqlmlError]) -> list[Source]:
    """Return the tables of an entry of `sources:`."""
    if declared.entry.broken:
        return []
    subject = Subject(declared.subject("source"), "sources", declared.entry.places.of)
    head = validate(SourceSpec, declared.entry.value, subject, errors)
    if head is None or not head.enabled:
        return []
    if not declared.tables:
        errors.append(subject.error("tables", "it has no tables", "add 'tables:' with a name and a path"))
    sources: list[Source] = []
    for entry in declared.tables:
        name = entry.value.get("name") if isinstance(entry.value, dict) else None
        table = f"source '{head.name}.{name}'" if name else f"a table of source '{head.name}'"
        subject = Subject(table, "sources.tables", entry.places.of)
        spec = None if entry.broken else validate(SourceTableSpec, entry.value, subject, errors)
        if spec is None or not spec.enabled:
            continue
        file_format = _check_path(spec, root, seed_paths, subject, errors)
        columns, tests = read_columns(spec.columns, Relation(table, entry.places, errors))
        _check_repeats(spec.keys, "keys", subject, errors)
        sources.append(
            Source(
                source_name=head.name,
                name=spec.name,
                path=spec.path,
                format=file_format,
                places=entry.places,
                options=spec.options,
                keys=tuple(spec.keys),
                columns=columns,
                tests=tests,
                description=spec.description,
                tags=tuple(dict.fromkeys([*head.tags, *spec.tags])),
            )
        )
    return sources


def _check_repeats(names: Sequence[str], key: str, subject: Subject, errors: list[SqlmlError]) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name.lower() in seen:
            errors.append(subject.error(f"{key}.{position}", f"column '{name}' stands twice in '{key}'", "remove one"))
        seen.add(name.lower())


def _check_path(
    spec: SourceTableSpec, root: Path, seed_paths: Iterable[str], subject: Subject, errors: list[SqlmlError]
) -> str:
    """Return the format of a source, given or by its endings; what is wrong goes to `errors`."""
    if "://" in spec.path or spec.path.startswith("file:"):
        errors.append(subject.error("path", f"'path: {spec.path}' is not supported yet", "give a path on this machine"))
        return ""
    path = Path(os.path.normpath(root / spec.path))
    # Unlike Path.exists, it takes a name that no file can have.
    if not os.path.exists(path):  # noqa: PTH110
        errors.append(subject.error("path", f"path '{spec.path}' does not exist", _near_file(root, path)))
        return ""
    for seeds in seed_paths:
        if path.is_relative_to(os.path.normpath(root / seeds)):
            fix = f"move it out of '{seeds}/', or read it with ref('{path.stem}') and remove this source"
            errors.append(subject.error("path", f"path '{spec.path}' lies among the seeds", fix))
    if spec.format is not None:
        return spec.format
    endings = _endings(path)
    formats = {_FORMATS[ending] for ending in endings if ending in _FORMATS}
    if len(formats) == 1 and len(endings) == 1:
        return formats.pop()
    found = f"its files end with {', '.join(sorted(endings))}" if endings else "it holds no files"
    what = f"the format of '{spec.path}' is not clear: {found}"
    errors.append(subject.error("path", what, f"add 'format:' with one of: {', '.join(sorted(_FORMATS.values()))}"))
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


def read_seeds(
    files: Sequence[FoundFile], entries: Mapping[str, Declared], defaults: FolderDefaults, errors: list[SqlmlError]
) -> list[Seed]:
    """Return a seed for each data file, with what its YAML entry says (`entries` by name)."""
    seeds: list[Seed] = []
    for file in files:
        config = defaults.of(file.folders, file.stem)
        declared = entries.get(file.stem)
        spec, places = _read_entry(SeedSpec, "seeds", declared, file, errors)
        check_file_name(file, "seed", errors)
        if spec is not None:
            config = merge_config(config, given_config(spec.config))
        if config.get("enabled") is False:
            continue
        columns, tests = read_columns(spec.columns if spec else (), Relation(f"seed '{file.stem}'", places, errors))
        seeds.append(
            Seed(
                name=file.stem,
                path=file.path,
                format=_FORMATS[file.ending],
                places=places,
                options=spec.options if spec else {},
                columns=columns,
                tests=tests,
                description=spec.description if spec else "",
                tags=config.get("tags", ()),
            )
        )
    return seeds


def read_sql_models(
    root: Path,
    files: Sequence[FoundFile],
    entries: Mapping[str, Declared],
    defaults: FolderDefaults,
    errors: list[SqlmlError],
) -> list[SqlModel]:
    """Return a SQL model for each file, with what its YAML entry says (`entries` by name)."""
    sql_models: list[SqlModel] = []
    for file in files:
        config = defaults.of(file.folders, file.stem)
        spec, places = _read_entry(SqlModelSpec, "models", entries.get(file.stem), file, errors)
        check_file_name(file, "sql model", errors)
        if spec is not None:
            config = merge_config(config, given_config(spec.config))
        if config.get("enabled") is False:
            continue
        text = read_text(root, file.path, errors)
        if text is None:
            continue
        if not text.strip():
            errors.append(
                ParseError(
                    f"sql model '{file.stem}' is an empty file", file.place, "write a SELECT, or remove the file"
                )
            )
        columns, tests = read_columns(
            spec.columns if spec else (), Relation(f"sql model '{file.stem}'", places, errors)
        )
        sql_models.append(
            SqlModel(
                name=file.stem,
                path=file.path,
                text=text,
                places=places,
                config=config,
                columns=columns,
                tests=tests,
                description=spec.description if spec else "",
            )
        )
    return sql_models


def _read_entry(
    spec: type[Any], area: str, declared: Declared | None, file: FoundFile, errors: list[SqlmlError]
) -> tuple[Any, Places]:
    if declared is None:
        return None, Places(file.place)
    noun = "seed" if area == "seeds" else "sql model"
    subject = Subject(declared.subject(noun), area, declared.entry.places.of)
    checked = None if declared.entry.broken else validate(spec, declared.entry.value, subject, errors)
    return checked, Places(file.place, declared.entry.places.keys)


def check_file_name(file: FoundFile, noun: str, errors: list[SqlmlError]) -> None:
    """Add an error if the file's name cannot be the name of a relation."""
    if not IDENTIFIER.fullmatch(file.stem):
        what = f"{noun} '{file.stem}' takes its name from its file, and this is no name"
        errors.append(ParseError(what, file.place, f"rename the file: {identifier_fix(file.stem)}"))
