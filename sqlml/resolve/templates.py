"""Templates: the text of one in, its SQL and what it reads out; what an earlier run made of the same is used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlml.errors import SqlmlError
from sqlml.ir.cache import Cache, Watched, are_unchanged, key_of
from sqlml.ir.dag import Rendered, Segment
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Project
from sqlml.resolve.index import Index, Relation
from sqlml.resolve.references import MlTableCall, Prediction, References

if TYPE_CHECKING:
    from sqlml.templating import Templates


@dataclass(frozen=True, slots=True)
class ReadTemplate:
    """A rendered template and what it called.

    Attributes:
        parents: ids of what its SQL reads, with the place of the first reference to each.
        config: what `config()` was given, as plain data.
        warnings: messages of `log()`.
    """

    text: str
    segments: tuple[Segment, ...] = ()
    parents: Mapping[str, SourceLocation] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    predictions: tuple[Prediction, ...] = ()
    ml_tables: tuple[MlTableCall, ...] = ()
    warnings: tuple[tuple[str, SourceLocation], ...] = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a template without errors, and all that could make it another one.

    Attributes:
        references: what it looked up in the index, to the ids that it found.
        macros: each name that it or a macro looked up, to the digest of the macro file that gave it, empty for others.
        variables, environment: what it read, by name to a digest of the value.
    """

    read: ReadTemplate
    references: Mapping[str, str]
    macros: Mapping[str, str]
    variables: Mapping[str, str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Macros:
    """Name of each macro to the digest of its file."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Reference:
    """What a reference in YAML looked up in the index."""

    found: str


class TemplateReader:
    """Reads the templates of one project.

    Raises:
        ParseError, ErrorList: for macro files that cannot be read, and for names that are taken.
    """

    def __init__(self, project: Project, index: Index, cache: Cache) -> None:
        self._project = project
        self._index = index
        self._cache = cache
        self._macros = self._find_macros()

    def read(
        self, text: str, path: str, config_keys: Sequence[str], this: str | None = None
    ) -> tuple[ReadTemplate, list[SqlmlError]]:
        """Return the rendered template and what is wrong in it; if it cannot be rendered, its text is empty.

        Args:
            path: its file.
            config_keys: what `config()` takes.
            this: the relation that `this` names.
        """
        target = self._project.target
        key = key_of(path, text, target.name, target.schema, this or "", *config_keys)
        kept = self._cache.get("templates", key, _Kept, self._is_current)
        if kept is not None:
            return kept.read, []
        variables, environment = Watched(self._project.variables), Watched(self._project.environment)
        references = References(self._index, target, SourceLocation(path, 1), this, config_keys)
        looked_up: set[str] = set()
        rendered = self._render(text, path, references, (variables, environment), looked_up)
        read = ReadTemplate(
            text=rendered.text,
            segments=rendered.segments,
            parents=references.parents(rendered.text),
            config=references.config,
            predictions=tuple(references.predictions),
            ml_tables=tuple(references.ml_tables),
            warnings=tuple(references.warnings),
        )
        # What is disabled counts for nothing, whatever is wrong in it.
        if not references.errors or read.config.get("enabled") is False:
            macros = {name: self._macros.get(name, "") for name in sorted(looked_up)}
            self._cache.put(
                "templates", key, _Kept(read, references.found, macros, variables.read(), environment.read())
            )
        return read, references.errors

    def evaluate(self, text: str, place: SourceLocation) -> tuple[Any, list[SqlmlError]]:
        """Return the value of an expression in YAML that may call `ref()` and `source()`, and what is wrong in it."""
        key = key_of(text)
        kept = self._cache.get("references", key, _Reference)
        entry = None if kept is None else self._index.find(kept.found)
        if entry is not None:
            return Relation.of(entry), []
        from sqlml.templating import evaluate

        references = References(self._index, self._project.target, place)
        functions = {name: references.functions[name] for name in ("ref", "source")}
        value = evaluate(self._templates, text, place, functions)
        if isinstance(value, Relation) and len(references.found) == 1 and not references.errors:
            self._cache.put("references", key, _Reference(next(iter(references.found))))
        return value, references.errors

    def _find_macros(self) -> Mapping[str, str]:
        digests = {file.path: key_of(file.path, file.text) for file in self._project.macro_files}
        key = key_of(*digests.values())
        kept = self._cache.get("macros", key, _Macros)
        if kept is None:
            kept = _Macros({name: digests[place.path] for name, place in self._templates.macros.items()})
            self._cache.put("macros", key, kept)
        return kept.files

    @cached_property
    def _templates(self) -> Templates:
        # Jinja takes longer to load than a project without changes takes to resolve.
        from sqlml.templating import Templates

        project = self._project
        return Templates(project.macro_files, project.variables, project.environment)

    def _is_current(self, kept: _Kept) -> bool:
        entries = ((self._index.find(lookup), node_id) for lookup, node_id in kept.references.items())
        return (
            all(entry is not None and entry.node_id == node_id for entry, node_id in entries)
            and all(self._macros.get(name, "") == digest for name, digest in kept.macros.items())
            and are_unchanged(kept.variables, self._project.variables)
            and are_unchanged(kept.environment, self._project.environment)
        )

    def _render(
        self, text: str, path: str, references: References, watched: tuple[Watched, Watched], looked_up: set[str]
    ) -> Rendered:
        from sqlml.templating import render_sql, value_functions

        functions = {**value_functions(*watched, are_secrets_allowed=False), **references.functions}
        try:
            return render_sql(self._templates, text, path, functions, looked_up)
        except SqlmlError as error:
            references.errors.append(error)
            return Rendered("", path, text)
