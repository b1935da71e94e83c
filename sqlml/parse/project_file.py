"""The project file: its text and what the command line adds in, settings of the whole project out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from sqlml.errors import CommandError, ParseError, SqlmlError, raise_all, suggest
from sqlml.ir.diagnostics import Level
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Target
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.parse.files import PROJECT_FILE, SearchPath
from sqlml.parse.folder_rules import read_rules
from sqlml.parse.identifiers import IDENTIFIER, identifier_fix
from sqlml.parse.problems import validate
from sqlml.parse.project_specs import ProjectFileSpec, TargetSpec
from sqlml.parse.settings import Settings
from sqlml.parse.subject import Subject
from sqlml.parse.yaml_files import Entry, Pair, Reader, Render, compose

# Without these, every error in another file may be a false one.
_NEEDED = frozenset({"model-paths", "seed-paths", "macro-paths", "test-paths", "vars"})

MakeRender = Callable[[Mapping[str, Any]], Render]
"""Makes the function that renders Jinja with the given variables."""


def read_project_file(
    text: str, target: str | None, variables: Mapping[str, Any], make_render: MakeRender, errors: list[SqlmlError]
) -> Settings:
    """Return the settings of the project whose file has this text; what is wrong goes to `errors`.

    Raises:
        SqlmlError: if so much is wrong that the other files cannot be judged.
    """
    parts = _read_parts(text, variables, make_render, errors)
    entry = parts.rest
    subject = Subject("project file", "project", entry.places)
    spec = _validate(entry, subject, errors)
    return Settings(
        name=spec.name,
        target=_read_target(spec, target, parts, errors),
        schemas=_read_schemas(spec, parts),
        variables=parts.variables,
        model_paths=_search(spec.model_paths, "model-paths", entry),
        seed_paths=_search(spec.seed_paths, "seed-paths", entry),
        macro_paths=_search(spec.macro_paths, "macro-paths", entry),
        test_paths=_search(spec.test_paths, "test-paths", entry),
        rules={
            kind: read_rules(kind, value, entry.places, errors)
            for kind, value in (("models", spec.models), ("seeds", spec.seeds), ("ml_models", spec.ml_models))
        },
        diagnostics={code: cast("Level", level) for code, level in spec.diagnostics.items()},
        estimator_modules=tuple(spec.estimator_modules),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The project file, read in the order in which its parts need each other.

    Attributes:
        variables: of the file and of the command line.
        rest: all but `vars` and `targets`, whose keys have an empty mapping here.
        targets: each with the errors of reading it, which count only if it is used: another machine's environment
            variables need not be set on this one.
    """

    variables: Mapping[str, Any]
    rest: Entry
    targets: Mapping[str, tuple[Entry, list[SqlmlError]]]


def _read_parts(text: str, variables: Mapping[str, Any], make_render: MakeRender, errors: list[SqlmlError]) -> _Parts:
    node = _root_node(text)
    reader = Reader(PROJECT_FILE, make_render(variables), errors)
    pairs = reader.pairs(node)
    mappings: dict[str, list[Pair]] = {}
    rest: list[tuple[yaml.Node, yaml.Node]] = []
    for key, key_node, value_node in pairs:
        if key in ("vars", "targets") and isinstance(value_node, yaml.MappingNode):
            mappings[key] = reader.pairs(value_node)
            empty = yaml.MappingNode(value_node.tag, [], value_node.start_mark, value_node.end_mark)
            rest.append((key_node, empty))
        else:
            rest.append((key_node, value_node))
    declared = {key: reader.entry(value_node).value for key, _, value_node in mappings.get("vars", ())}
    merged = {**declared, **variables}
    targets: dict[str, tuple[Entry, list[SqlmlError]]] = {}
    for name, key_node, value_node in mappings.get("targets", ()):
        own: list[SqlmlError] = []
        target_reader = Reader(PROJECT_FILE, make_render(merged), own)
        targets[name] = (target_reader.entry(value_node, reader.place(key_node)), own)
    reader = Reader(PROJECT_FILE, make_render(merged), errors)
    entry = reader.entry(yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark))
    return _Parts(merged, entry, targets)


def _root_node(text: str) -> yaml.MappingNode:
    node = compose(PROJECT_FILE, text)
    if isinstance(node, yaml.MappingNode):
        return node
    what = "the project file is empty" if node is None else "the project file must be a mapping"
    raise ParseError(what, SourceLocation(PROJECT_FILE, 1), "write at least 'name: my_project'")


def _validate(entry: Entry, subject: Subject, errors: list[SqlmlError]) -> ProjectFileSpec:
    """Return the checked file; a key that does not fit counts as not given, so that other files are judged too."""
    # A key with nothing after it is a key that is not given.
    value = {key: inner for key, inner in entry.value.items() if inner is not None or key == "name"}
    bad = {path.partition(".")[0] for path in entry.broken}
    for key in list(value):
        single: list[SqlmlError] = []
        if validate(ProjectFileSpec, {"name": "project", key: value[key]}, subject, single) is None and key not in bad:
            errors.extend(single)
        if single or key in bad:
            bad.add(key)
            del value[key]
    if "name" not in value:
        if "name" not in bad:
            errors.append(subject.error("", "key 'name' is missing", "add 'name: my_project'"))
        value["name"] = "project"
    if bad & _NEEDED:
        raise_all(errors)
    return ProjectFileSpec.model_validate(value)


def _search(paths: list[str], key: str, entry: Entry) -> tuple[SearchPath, ...]:
    is_given = entry.value.get(key) is not None
    return tuple(
        SearchPath(path, entry.places.of(f"{key}.{position}") if is_given else None)
        for position, path in enumerate(paths)
    )


def _read_target(spec: ProjectFileSpec, asked: str | None, parts: _Parts, errors: list[SqlmlError]) -> Target:
    name = asked if asked is not None else spec.target
    targets = parts.targets
    for other, (entry, faults) in targets.items():
        if other == name or not entry.broken:
            errors.extend(faults)
    checked = {
        other: _read_one_target(other, entry, errors) for other, (entry, _) in targets.items() if not entry.broken
    }
    # Without any, the default target is one by itself.
    known = tuple(targets) or (spec.target,)
    if asked is not None and asked not in known:
        errors.append(
            CommandError(f"target '{asked}' is not in the project file", None, suggest(asked, known, "there are"))
        )
    elif name not in known:
        what = f"project file: target '{name}' is not among its targets"
        errors.append(ParseError(what, parts.rest.places.value_of("target"), suggest(name, known, "there are")))
    return checked.get(name) or _default_target(name, errors)


def _read_schemas(spec: ProjectFileSpec, parts: _Parts) -> dict[str, str]:
    """Return the schema of each target, whatever else of it cannot be read in this environment."""
    found = {}
    for name, (entry, _) in (parts.targets or {spec.target: (Entry({}, parts.rest.places), [])}).items():
        given = entry.value if isinstance(entry.value, Mapping) else {}
        if "schema" not in entry.broken:
            found[name] = str(given.get("schema") or name)
    return found


def _default_target(name: str, errors: list[SqlmlError]) -> Target:
    if not errors and not IDENTIFIER.fullmatch(name):
        errors.append(CommandError(f"target '{name}' is no name for a schema", None, identifier_fix(name)))
    return Target(name, name)


def _read_one_target(name: str, entry: Entry, errors: list[SqlmlError]) -> Target:
    subject = Subject(f"target '{name}'", "project.targets", entry.places)
    spec = validate(TargetSpec, {} if entry.value is None else entry.value, subject, errors)
    if spec is None:
        return Target(name, name)
    pinned = {setting.lower(): value for setting, value in PINNED_SETTINGS.items()}
    for setting in spec.spark:
        if setting.lower() in pinned:
            what = f"'{setting}' cannot be changed: training and serving must read SQL alike"
            fix = f"remove it; it is always {pinned[setting.lower()]}"
            errors.append(subject.error(f"spark.{setting}", what, fix))
    if spec.schema_ is None and not IDENTIFIER.fullmatch(name):
        what = "its name is also its schema, and is no name for one"
        errors.append(subject.error("", what, f"add 'schema:': {identifier_fix(name)}"))
    levels = {code: cast("Level", level) for code, level in spec.diagnostics.items()}
    return Target(name, spec.schema_ or name, spec.spark, spec.threads, spec.memory, levels)
