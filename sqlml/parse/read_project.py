"""The parse phase in order: what to parse in, Project out; every error of every file is reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlml.errors import ParseError, SqlmlError, raise_all
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import DataTest, MacroFile, MlModel, Project, Seed, SqlModel
from sqlml.parse.entries import Declared, Entries, read_entries
from sqlml.parse.files import FoundFile, find_files, read_text
from sqlml.parse.ml_models import read_ml_models
from sqlml.parse.names import Named, check_names, check_sources, match_entries
from sqlml.parse.project_file import Settings, read_project_file
from sqlml.parse.relations import SEED_ENDINGS, check_file_name, read_seeds, read_source, read_sql_models
from sqlml.parse.yaml_files import Render

_YAML = (".yml", ".yaml")
_SHIPPED_MACROS = Path(__file__).parent.parent / "macros"


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


def parse_project(request: ParseRequest) -> Project:
    """Return the project in `request.project_dir`, every file read and every key checked.

    Raises:
        SqlmlError: all that is wrong in all files, together.
    """
    root = request.project_dir.resolve()
    errors: list[SqlmlError] = []

    def make_render(variables: Mapping[str, Any]) -> Render:
        return lambda text, place: _render(text, variables, request.environment, place)

    settings = read_project_file(root, request.target, request.variables, make_render, errors)
    files = _find_all(root, settings, errors)
    entries = read_entries(root, files.yaml, settings.render, errors)

    seed_paths = [search.path for search in settings.seed_paths]
    sources = [source for declared in entries.sources for source in read_source(declared, root, seed_paths, errors)]
    seeds, sql_models = _read_relations(root, settings, files, entries, errors)
    ml_models = read_ml_models(entries.ml_models, settings.defaults["ml_models"], errors)

    errors.extend(check_sources(sources))
    errors.extend(check_names(_named(seeds, sql_models, entries.ml_models, ml_models)))
    errors.extend(_check_defaults(settings, files, entries))
    project = Project(
        root=root,
        name=settings.name,
        target=settings.target,
        variables=settings.variables,
        environment=request.environment,
        diagnostics=settings.diagnostics,
        sources=tuple(sources),
        seeds=tuple(seeds),
        sql_models=tuple(sql_models),
        ml_models=tuple(ml_models),
        singular_tests=_read_singular_tests(root, files.tests, errors),
        macro_files=(*_shipped_macros(), *_read_macros(root, files.macros, errors)),
    )
    raise_all(errors)
    return project


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a project by what they are."""

    sql_models: Sequence[FoundFile]
    seeds: Sequence[FoundFile]
    yaml: Sequence[FoundFile]
    macros: Sequence[FoundFile]
    tests: Sequence[FoundFile]


def _find_all(root: Path, settings: Settings, errors: list[SqlmlError]) -> _Files:
    in_models = find_files(root, settings.model_paths, errors)
    in_seeds = find_files(root, settings.seed_paths, errors)
    yaml = {file.path: file for file in (*in_models, *in_seeds) if file.ending in _YAML}
    return _Files(
        sql_models=[file for file in in_models if file.ending == ".sql"],
        seeds=[file for file in in_seeds if file.ending in SEED_ENDINGS],
        yaml=list(yaml.values()),
        macros=[file for file in find_files(root, settings.macro_paths, errors) if file.ending == ".sql"],
        tests=[file for file in find_files(root, settings.test_paths, errors) if file.ending == ".sql"],
    )


def _read_relations(
    root: Path, settings: Settings, files: _Files, entries: Entries, errors: list[SqlmlError]
) -> tuple[list[Seed], list[SqlModel]]:
    kinds = {file.stem: "seeds" for file in files.seeds} | {file.stem: "models" for file in files.sql_models}
    kinds = {declared.name: "ml_models" for declared in entries.ml_models if declared.name} | kinds
    of_seeds = match_entries("seed", entries.seeds, files.seeds, kinds, errors)
    of_models = match_entries("sql model", entries.models, files.sql_models, kinds, errors)
    seeds = read_seeds(files.seeds, of_seeds, settings.defaults["seeds"], errors)
    return seeds, read_sql_models(root, files.sql_models, of_models, settings.defaults["models"], errors)


def _named(
    seeds: Sequence[Seed], sql_models: Sequence[SqlModel], declared: Sequence[Declared], ml_models: Sequence[MlModel]
) -> list[Named]:
    named: list[Named] = [("seed", seed.name, SourceLocation(seed.path, 1)) for seed in seeds]
    named += [("sql model", sql_model.name, sql_model.places.whole) for sql_model in sql_models]
    named += [("ml model", ml_model.name, ml_model.places.of("name")) for ml_model in ml_models]
    return named


def _check_defaults(settings: Settings, files: _Files, entries: Entries) -> list[SqlmlError]:
    paths = {
        "models": [(*file.folders, file.stem) for file in files.sql_models],
        "seeds": [(*file.folders, file.stem) for file in files.seeds],
        "ml_models": [(*entry.file.folders, entry.name) for entry in entries.ml_models if entry.name],
    }
    return [error for kind, found in paths.items() for error in settings.defaults[kind].check_used(found)]


def _read_singular_tests(root: Path, files: Sequence[FoundFile], errors: list[SqlmlError]) -> tuple[DataTest, ...]:
    tests: dict[str, DataTest] = {}
    for file in files:
        check_file_name(file, "data test", errors)
        text = read_text(root, file.path, errors)
        test = DataTest("singular", file.place, name=file.stem, text=text)
        first = tests.setdefault(file.stem.lower(), test)
        if first is not test:
            what = f"data test '{file.stem}' has a name that another has already, at {first.location}"
            errors.append(ParseError(what, file.place, "rename one of the two"))
    return tuple(tests.values())


def _shipped_macros() -> list[MacroFile]:
    paths = sorted(_SHIPPED_MACROS.glob("*.sql"))
    return [MacroFile(f"sqlml/macros/{path.name}", path.read_text(encoding="utf-8"), shipped=True) for path in paths]


def _read_macros(root: Path, files: Sequence[FoundFile], errors: list[SqlmlError]) -> list[MacroFile]:
    texts = ((file.path, read_text(root, file.path, errors)) for file in files)
    return [MacroFile(path, text) for path, text in texts if text is not None]


def _render(text: str, variables: Mapping[str, Any], environment: Mapping[str, str], place: SourceLocation) -> Any:
    # Jinja takes longer to load than most projects take to parse, and most YAML has none.
    from sqlml.templating import render_value

    return render_value(text, variables, environment, place)
