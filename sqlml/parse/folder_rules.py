"""Rules by folder: `models:`, `seeds:` and `ml_models:` of the project file in, the settings of each folder out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import Places
from sqlml.parse.folder_defaults import Rule
from sqlml.parse.later import LATER_KEYS
from sqlml.parse.problems import not_yet, validate
from sqlml.parse.relation_specs import SeedConfig, SqlModelConfig
from sqlml.parse.specs import MlModelConfig
from sqlml.parse.subject import Subject

CONFIGS: Mapping[str, type[SqlModelConfig | SeedConfig]] = MappingProxyType(
    {"models": SqlModelConfig, "seeds": SeedConfig, "ml_models": MlModelConfig}
)
"""Key of the project file to the settings that its folders may have."""


def given_config(spec: SqlModelConfig | SeedConfig) -> dict[str, Any]:
    """Return the settings that are given, as plain data."""
    return spec.model_dump(exclude_unset=True, exclude_none=True)


def read_rules(kind: str, value: Mapping[str, Any], places: Places, errors: list[SqlmlError]) -> tuple[Rule, ...]:
    """Return the rules below the key `kind` of the project file, outer folders first; errors go to `errors`."""
    return tuple(_read_rules(kind, (), value, places, errors))


def _read_rules(
    kind: str, parts: tuple[str, ...], value: Mapping[str, Any], places: Places, errors: list[SqlmlError]
) -> Iterator[Rule]:
    path = ".".join((kind, *parts))
    spec = CONFIGS[kind]
    # Keys are looked up with their plus sign, as they are written.
    subject = Subject(f"'{path}'", f"{kind}.config", places, lambda key: f"{path}.+{key}")
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
