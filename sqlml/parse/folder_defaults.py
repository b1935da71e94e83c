"""Defaults by folder: `models:`, `seeds:` and `ml_models:` of the project file in, the settings of one entry out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import Places, SourceLocation
from sqlml.parse.later import LATER_KEYS
from sqlml.parse.problems import Subject, not_yet, validate
from sqlml.parse.specs import MlModelConfig, SeedConfig, SqlModelConfig

_CONFIGS: Mapping[str, type[SqlModelConfig | SeedConfig]] = MappingProxyType(
    {"models": SqlModelConfig, "seeds": SeedConfig, "ml_models": MlModelConfig}
)


@dataclass(frozen=True, slots=True)
class Rule:
    """The settings of one folder (or one entry) and of all below it."""

    parts: tuple[str, ...]
    config: Mapping[str, Any]
    place: SourceLocation


@dataclass(frozen=True, slots=True)
class FolderDefaults:
    """The rules of one kind, outer folders first.

    Attributes:
        kind: the key of the project file, such as `models`.
        project_name: may stand in front of the folders, as in dbt.
    """

    kind: str = "models"
    project_name: str = ""
    rules: tuple[Rule, ...] = ()
    _used: set[tuple[str, ...]] = field(default_factory=set)

    def of(self, folders: tuple[str, ...], name: str) -> dict[str, Any]:
        """Return the settings for an entry: inner folders win, tags add up."""
        parts = (*folders, name)
        config: dict[str, Any] = {}
        for rule in self.rules:
            length = len(rule.parts)
            if parts[:length] == rule.parts or (self.project_name, *parts)[:length] == rule.parts:
                self._used.add(rule.parts)
                config = merge_config(config, rule.config)
        return config

    def check_used(self, paths: list[tuple[str, ...]]) -> Iterator[SqlmlError]:
        """Yield an error for each rule that no entry of `paths` (folders and name) stands under."""
        known = {part for path in paths for part in path}
        for rule in self.rules:
            if rule.parts and rule.parts not in self._used and rule.parts != (self.project_name,):
                what = f"'{self.kind}: {'.'.join(rule.parts)}' stands for no folder and no entry of the project"
                yield ParseError(what, rule.place, suggest(rule.parts[-1], known, "there are"))


def merge_config(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of both: those of `strong` win, tags add up in order, diagnostics by code."""
    merged = {**weak, **strong}
    if "diagnostics" in weak and "diagnostics" in strong:
        merged["diagnostics"] = {**weak["diagnostics"], **strong["diagnostics"]}
    tags = dict.fromkeys([*weak.get("tags", ()), *strong.get("tags", ())])
    return merged | {"tags": tuple(tags)} if tags else merged


def given_config(spec: SqlModelConfig | SeedConfig) -> dict[str, Any]:
    """Return the settings that are given, `tags` as a tuple."""
    config: dict[str, Any] = spec.model_dump(exclude_unset=True, exclude_none=True)
    if "tags" in config:
        config["tags"] = tuple(config["tags"])
    return config


def read_defaults(
    kind: str, value: Mapping[str, Any], places: Places, project_name: str, errors: list[SqlmlError]
) -> FolderDefaults:
    """Return the defaults below the key `kind` of the project file; what is wrong goes to `errors`."""
    rules = tuple(_read_rules(kind, (), value, places, errors))
    return FolderDefaults(kind, project_name, rules)


def _read_rules(
    kind: str, parts: tuple[str, ...], value: Mapping[str, Any], places: Places, errors: list[SqlmlError]
) -> Iterator[Rule]:
    path = ".".join((kind, *parts))
    spec = _CONFIGS[kind]
    # Keys are looked up with their plus sign, as they are written.
    subject = Subject(f"'{path}'", f"{kind}.config", lambda key: places.of(f"{path}.+{key}"))
    settings: dict[str, Any] = {}
    folders: dict[str, Mapping[str, Any]] = {}
    for key, inner in value.items():
        name = key.removeprefix("+")
        if name == key and isinstance(inner, dict):
            folders[key] = inner
        elif name == key:
            known = [f"+{setting}" for setting in spec.model_fields]
            fix = f"write '+{key}'" if key in spec.model_fields else f"settings are: {', '.join(known)}"
            what = f"'{path}': '{key}' is neither a folder nor a setting; settings start with '+'"
            errors.append(ParseError(what, places.of(f"{path}.{key}"), fix))
        elif name in spec.model_fields:
            settings[name] = inner
        elif f"{kind}.config.{name}" in LATER_KEYS:
            errors.append(not_yet(subject, name, key, LATER_KEYS[f"{kind}.config.{name}"]))
        else:
            fix = suggest(key, [f"+{setting}" for setting in spec.model_fields], "settings are")
            errors.append(ParseError(f"'{path}': unknown setting '{key}'", places.of(f"{path}.{key}"), fix))
    checked = validate(spec, settings, subject, errors)
    yield Rule(parts, given_config(checked) if checked is not None else {}, places.of(path))
    for folder, inner in folders.items():
        yield from _read_rules(kind, (*parts, folder), inner, places, errors)
