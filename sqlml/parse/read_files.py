"""YAML files: what to parse in, settings and entries out; what an earlier run made of the same text is used again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlml.errors import SqlmlError, raise_all
from sqlml.ir.algorithms import AlgorithmRelation
from sqlml.ir.cache import Cache, Watched, are_unchanged, dump, key_of
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Source
from sqlml.parse.declared import DeclaredMlModel, DeclaredRelation, Faults, FileEntries, KeptFile
from sqlml.parse.files import PROJECT_FILE, FoundFile, no_project, read_text
from sqlml.parse.settings import Settings

_KIND = "YAML files"


@dataclass(frozen=True, slots=True)
class ParseRequest:
    """What to parse.

    Attributes:
        project_dir: the folder with `sqlml_project.yml`.
        target: the target to build for; None takes the project's default.
        variables: from the command line; stronger than those of the project file.
        environment: what `env_var()` may read.
    """

    project_dir: Path
    target: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entries:
    """All entries of all files, in the order of the files; `faults` is what is wrong inside of them."""

    sources: list[Source] = field(default_factory=list)
    models: list[DeclaredRelation] = field(default_factory=list)
    seeds: list[DeclaredRelation] = field(default_factory=list)
    ml_models: list[tuple[FoundFile, DeclaredMlModel]] = field(default_factory=list)
    algorithms: list[AlgorithmRelation] = field(default_factory=list)
    faults: Faults = field(default_factory=dict)

    def add(self, file: FoundFile, entries: FileEntries) -> None:
        """Add the entries of a file."""
        self.sources.extend(entries.sources)
        self.models.extend(entries.models)
        self.seeds.extend(entries.seeds)
        self.algorithms.extend(entries.algorithms)
        self.ml_models.extend([(file, declared) for declared in entries.ml_models])


def read_settings(root: Path, request: ParseRequest, cache: Cache, errors: list[SqlmlError]) -> Settings:
    """Return what the project file says; what is wrong goes to `errors`.

    Raises:
        SqlmlError: if there is no project, or so much is wrong that the other files cannot be judged.
    """
    if not (root / PROJECT_FILE).is_file():
        raise no_project(root)
    text = read_text(root, PROJECT_FILE, errors)
    if text is None:
        raise_all(errors)
    key = key_of(text or "", dump(request.target), dump(dict(request.variables)))
    kept = cache.get("project files", key, Settings)
    if kept is not None:
        return kept
    # Reading YAML and checking it take longer to load than the rest of this phase takes to run.
    from sqlml.parse.project_file import read_project_file

    environment = Watched(request.environment)
    settings = read_project_file(
        text or "",
        request.target,
        request.variables,
        lambda variables: _renderer(variables, environment),
        errors,
    )
    # What stands in the environment may be secret, and is never written to disk.
    if not errors and not environment.names:
        cache.put("project files", key, settings)
    return settings


@dataclass(frozen=True, slots=True)
class YamlReader:
    """Reads the YAML files of a project; `variables` and `environment` are what their Jinja may read."""

    variables: Mapping[str, Any]
    environment: Mapping[str, str]
    cache: Cache

    def read(self, root: Path, files: Sequence[FoundFile], errors: list[SqlmlError]) -> Entries:
        """Return the entries of `files`; what is wrong goes to `errors`, and the other files are read on."""
        entries = Entries()
        for file in files:
            text = read_text(root, file.path, errors)
            if text is not None:
                entries.add(file, self._read_file(file.path, text, entries.faults, errors))
        return entries

    def _read_file(self, path: str, text: str, faults: Faults, errors: list[SqlmlError]) -> FileEntries:
        key = key_of(path, text)
        kept = self.cache.get(_KIND, key, KeptFile, lambda kept: are_unchanged(kept.variables, self.variables))
        if kept is not None:
            return kept.entries
        from sqlml.parse.spec_entries import read_file_entries

        variables, environment = Watched(self.variables), Watched(self.environment)
        own_errors: list[SqlmlError] = []
        own_faults: Faults = {}
        found = read_file_entries(path, text, _renderer(variables, environment), own_errors, own_faults)
        # What stands in the environment may be secret, and is never written to disk.
        if not own_errors and not any(own_faults.values()) and not environment.names:
            self.cache.put(_KIND, key, KeptFile(found, variables.read()))
        errors.extend(own_errors)
        faults.update(own_faults)
        return found


def _renderer(variables: Mapping[str, Any], environment: Mapping[str, str]) -> Callable[[str, SourceLocation], Any]:
    def render(text: str, place: SourceLocation) -> Any:
        # Jinja takes longer to load than most projects take to parse, and most YAML has none.
        from sqlml.templating import render_value

        return render_value(text, variables, environment, place)

    return render
