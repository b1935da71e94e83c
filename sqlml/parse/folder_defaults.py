"""Defaults by folder: the rules of the project file in, the settings of one entry out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import SourceLocation


@dataclass(frozen=True, slots=True)
class Rule:
    """The settings of one folder (or one entry) and of all below it, `config` being plain data."""

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
    """Return the settings of both: those of `strong` win, tags (a tuple) add up in order, diagnostics by code."""
    merged = {**weak, **strong}
    if "diagnostics" in weak and "diagnostics" in strong:
        merged["diagnostics"] = {**weak["diagnostics"], **strong["diagnostics"]}
    if "tags" in merged:
        merged["tags"] = tuple(dict.fromkeys([*weak.get("tags", ()), *strong.get("tags", ())]))
    return merged
