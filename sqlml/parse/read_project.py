"""The parse phase in order: what to parse in, Project out; every error of every file is reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlml.errors import ParseError, SqlmlError, raise_all
from sqlml.ir.aids import Aids
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import DataTest, MacroFile, MlModel, Project, Seed, SqlModel
from sqlml.parse.estimator_modules import check_estimator_modules
from sqlml.parse.files import PROJECT_FILE, FoundFile, find_files, read_text
from sqlml.parse.folder_defaults import FolderDefaults, merge_config
from sqlml.parse.identifiers import check_file_name
from sqlml.parse.names import Named, check_names, check_sources, match_entries
from sqlml.parse.read_files import Entries, ParseRequest, YamlReader, read_settings
from sqlml.parse.relations import SEED_ENDINGS, Described, locate_source, read_seeds, read_sql_models
from sqlml.parse.settings import Settings

_YAML = (".yml", ".yaml")
_SHIPPED_MACROS = Path(__file__).parent.parent / "macros"


def parse_project(request: ParseRequest, aids: Aids | None = None) -> Project:
    """Return the project in `request.project_dir`, every file read and every key checked.

    Raises:
        SqlmlError: all that is wrong in all files, together.
    """
    aids = aids or Aids()
    root = request.project_dir.resolve()
    errors: list[SqlmlError] = []
    with aids.timing.measure("parse", "project file"):
        settings = read_settings(root, request, aids.cache, errors)
    with aids.timing.measure("parse", "find files"):
        files = _find_all(root, settings, errors)
    with aids.timing.measure("parse", "read YAML"):
        reader = YamlReader(settings.variables, request.environment, aids.cache)
        entries = reader.read(root, files.yaml, errors)
    with aids.timing.measure("parse", "read SQL and macros"):
        project = _read_project(request, settings, files, entries, errors)
    raise_all(errors)
    return project


def _read_project(
    request: ParseRequest, settings: Settings, files: _Files, entries: Entries, errors: list[SqlmlError]
) -> Project:
    root = files.root
    defaults = {kind: FolderDefaults(kind, settings.name, rules) for kind, rules in settings.rules.items()}
    seed_paths = [search.path for search in settings.seed_paths]
    sources = [locate_source(source, root, seed_paths, errors) for source in entries.sources]
    seeds, sql_models = _read_relations(defaults, files, entries, errors)
    ml_models = list(_read_ml_models(entries, defaults["ml_models"], errors))
    errors.extend(check_sources(sources))
    errors.extend(check_names([*_named(seeds, sql_models, ml_models), *_named_algorithms(entries)]))
    errors.extend(_check_defaults(defaults, files, entries))
    errors.extend(check_estimator_modules(ml_models, settings.estimator_modules))
    return Project(
        root=root,
        name=settings.name,
        target=settings.target,
        variables=settings.variables,
        environment=request.environment,
        schemas=settings.schemas,
        diagnostics=settings.diagnostics,
        sources=tuple(sources),
        seeds=tuple(seeds),
        sql_models=tuple(sql_models),
        ml_models=tuple(ml_models),
        algorithms=tuple(entries.algorithms),
        singular_tests=_read_singular_tests(root, files.tests, errors),
        macro_files=(*_shipped_macros(), *_read_macros(root, files.macros, errors)),
    )


def find_yaml_files(request: ParseRequest) -> tuple[str, ...]:
    """Return the YAML files that are read, relative to the project's root, the project file first.

    Raises:
        SqlmlError: the project file is wrong.
    """
    errors: list[SqlmlError] = []
    root = request.project_dir.resolve()
    files = _find_all(root, read_settings(root, request, Aids().cache, errors), errors)
    raise_all(errors)
    return (PROJECT_FILE, *(file.path for file in files.yaml))


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a project by what they are."""

    root: Path
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
        root=root,
        sql_models=[file for file in in_models if file.ending == ".sql"],
        seeds=[file for file in in_seeds if file.ending in SEED_ENDINGS],
        yaml=list(yaml.values()),
        macros=[file for file in find_files(root, settings.macro_paths, errors) if file.ending == ".sql"],
        tests=[file for file in find_files(root, settings.test_paths, errors) if file.ending == ".sql"],
    )


def _read_relations(
    defaults: Mapping[str, FolderDefaults], files: _Files, entries: Entries, errors: list[SqlmlError]
) -> tuple[list[Seed], list[SqlModel]]:
    kinds = {file.stem: "seeds" for file in files.seeds} | {file.stem: "models" for file in files.sql_models}
    kinds = {declared.name: "ml_models" for _, declared in entries.ml_models if declared.name} | kinds
    made = [output for _, declared in entries.ml_models if declared.ml_model for output in declared.ml_model.outputs]
    kinds = {output.name: "ml_models.outputs" for output in made} | kinds
    kinds = {entry.name: f"{entry.kind}s" for entry in entries.algorithms} | kinds
    of_seeds = match_entries("seed", entries.seeds, files.seeds, kinds, errors)
    of_models = match_entries("sql model", entries.models, files.sql_models, kinds, errors)
    seeds = read_seeds(files.seeds, Described(of_seeds, entries.faults, defaults["seeds"]), errors)
    described = Described(of_models, entries.faults, defaults["models"])
    return seeds, read_sql_models(files.root, files.sql_models, described, errors)


def _read_ml_models(entries: Entries, defaults: FolderDefaults, errors: list[SqlmlError]) -> Iterator[MlModel]:
    """Yield the ML models that are enabled."""
    for file, declared in entries.ml_models:
        config = merge_config(defaults.of(file.folders, declared.name or ""), declared.config)
        if declared.ml_model is not None and config.get("enabled") is False:
            continue
        errors.extend(entries.faults.get(declared.places.whole, ()))
        if declared.ml_model is not None:
            given = {key: config[key] for key in ("diagnostics", "tags") if key in config}
            has_contract = bool(config.get("contract", {}).get("enforced"))
            yield replace(declared.ml_model, has_contract=has_contract, **given)


def _named(seeds: Sequence[Seed], sql_models: Sequence[SqlModel], ml_models: Sequence[MlModel]) -> list[Named]:
    named: list[Named] = [("seed", seed.name, SourceLocation(seed.path, 1)) for seed in seeds]
    named += [("sql model", sql_model.name, sql_model.places.whole) for sql_model in sql_models]
    named += [("ml model", ml_model.name, ml_model.places.value_of("name")) for ml_model in ml_models]
    made = [output for ml_model in ml_models for output in ml_model.outputs]
    named += [("output", output.name, output.places.value_of("name")) for output in made]
    return named


def _named_algorithms(entries: Entries) -> list[Named]:
    return [(entry.kind, entry.name, entry.places.value_of("name")) for entry in entries.algorithms]


def _check_defaults(defaults: Mapping[str, FolderDefaults], files: _Files, entries: Entries) -> list[SqlmlError]:
    paths = {
        "models": [(*file.folders, file.stem) for file in files.sql_models],
        "seeds": [(*file.folders, file.stem) for file in files.seeds],
        "ml_models": [(*file.folders, entry.name) for file, entry in entries.ml_models if entry.name],
    }
    return [error for kind, found in paths.items() for error in defaults[kind].check_used(found)]


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
