"""Entries: the YAML files of a project in, each entry with its places by kind out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import SourceLocation
from sqlml.parse.files import FoundFile, read_text
from sqlml.parse.later import LATER_KEYS
from sqlml.parse.value_types import describe
from sqlml.parse.yaml_files import Entry, Reader, Render, compose

_KINDS = ("sources", "models", "seeds", "ml_models")


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry of a YAML file.

    Attributes:
        kind: the key of the file that it stands under, such as `ml_models`.
        file: where it stands.
        entry: the value and its places; without `tables` for a source.
        tables: the tables of a source.
    """

    kind: str
    file: FoundFile
    entry: Entry
    tables: tuple[Entry, ...] = ()

    @property
    def name(self) -> str | None:
        """The entry's name, if it has one."""
        name = self.entry.value.get("name") if isinstance(self.entry.value, dict) else None
        return name if isinstance(name, str) else None

    @property
    def place(self) -> SourceLocation:
        """Where the name stands."""
        return self.entry.places.of("name")

    def subject(self, noun: str) -> str:
        """Return what it is called in messages."""
        return f"{noun} '{self.name}'" if self.name else f"an entry of '{self.kind}'"


@dataclass(frozen=True, slots=True)
class Entries:
    """All entries of all files, in the order of the files."""

    sources: list[Declared] = field(default_factory=list)
    models: list[Declared] = field(default_factory=list)
    seeds: list[Declared] = field(default_factory=list)
    ml_models: list[Declared] = field(default_factory=list)


def read_entries(root: Path, files: Sequence[FoundFile], render: Render, errors: list[SqlmlError]) -> Entries:
    """Return the entries of the YAML `files`; what is wrong goes to `errors`, and the other files are read on."""
    entries = Entries()
    for file in files:
        text = read_text(root, file.path, errors)
        try:
            node = None if text is None else compose(file.path, text)
            if node is not None:
                _read_file(file, node, Reader(file.path, render, errors), entries)
        except ParseError as error:
            errors.append(error)
    return entries


def _read_file(file: FoundFile, node: yaml.Node, reader: Reader, entries: Entries) -> None:
    if not isinstance(node, yaml.MappingNode):
        what = "a YAML file of the project must be a mapping"
        fix = f"start with one of: {', '.join(f'{kind}:' for kind in _KINDS)}"
        reader.errors.append(ParseError(what, reader.place(node), fix))
        return
    for key, key_node, value_node in reader.pairs(node):
        if key == "version":
            _check_version(reader.entry(value_node), reader.place(key_node), reader.errors)
        elif key not in _KINDS:
            reader.errors.append(_unknown_key(key, reader.place(key_node)))
        elif isinstance(value_node, yaml.SequenceNode):
            getattr(entries, key).extend(_read_item(key, file, item, reader) for item in value_node.value)
        elif not (isinstance(value_node, yaml.ScalarNode) and not value_node.value):
            fix = "write each entry after a dash: '- name: …'"
            reader.errors.append(ParseError(f"'{key}' must be a list", reader.place(key_node), fix))


def _read_item(kind: str, file: FoundFile, node: yaml.Node, reader: Reader) -> Declared:
    if kind != "sources" or not isinstance(node, yaml.MappingNode):
        return Declared(kind, file, reader.entry(node))
    # Each table has its own places, and a source may have hundreds.
    rest: list[tuple[yaml.Node, yaml.Node]] = []
    tables: tuple[Entry, ...] = ()
    for key, key_node, value_node in reader.pairs(node):
        if key == "tables" and isinstance(value_node, yaml.SequenceNode):
            tables = tuple(reader.entry(item) for item in value_node.value)
        elif key == "tables":
            what = "'tables' must be a list"
            reader.errors.append(ParseError(what, reader.place(key_node), "write each table after a dash: '- name: …'"))
        else:
            rest.append((key_node, value_node))
    head = reader.entry(yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark))
    return Declared(kind, file, head, tables)


def _check_version(entry: Entry, place: SourceLocation, errors: list[SqlmlError]) -> None:
    value: Any = entry.value
    if value != 2 or isinstance(value, bool | float):
        errors.append(ParseError(f"'version' must be 2, not {describe(value)}", place, "write 'version: 2'"))


def _unknown_key(key: str, place: SourceLocation) -> ParseError:
    if key in LATER_KEYS:
        return ParseError(f"'{key}:' is not supported yet", place, f"remove it ({LATER_KEYS[key]})")
    return ParseError(f"unknown key '{key}'", place, suggest(key, ("version", *_KINDS), "the keys are"))
