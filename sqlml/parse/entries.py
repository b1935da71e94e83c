"""Entries: the text of a YAML file in, each entry with its places out, before anything in it is checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import SourceLocation
from sqlml.parse.later import LATER_KEYS
from sqlml.parse.value_types import describe
from sqlml.parse.yaml_files import Entry, Reader, Render, compose

KINDS = ("sources", "models", "seeds", "ml_models", "graphs", "patterns")
"""The keys of a YAML file, besides `version`."""


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry of a YAML file, not checked yet.

    Attributes:
        kind: the key of the file that it stands under, such as `ml_models`.
        path: the file.
        entry: the value and its places; without `tables` for a source.
        tables: the tables of a source.
    """

    kind: str
    path: str
    entry: Entry
    tables: tuple[Entry, ...] = ()

    @property
    def name(self) -> str | None:
        """The entry's name, if it has one."""
        name = self.entry.value.get("name") if isinstance(self.entry.value, dict) else None
        return name if isinstance(name, str) else None

    def subject(self, noun: str) -> str:
        """Return what it is called in messages."""
        return f"{noun} '{self.name}'" if self.name else f"an entry of '{self.kind}'"


def read_raw_entries(path: str, text: str, render: Render, errors: list[SqlmlError]) -> list[RawEntry]:
    """Return the entries of a YAML file; what is wrong goes to `errors`."""
    entries: list[RawEntry] = []
    try:
        node = compose(path, text)
        if node is not None:
            # Not as a whole list: those before what cannot be read are good.
            for entry in _read_root(path, node, Reader(path, render, errors)):
                entries.append(entry)
    except ParseError as error:
        errors.append(error)
    return entries


def _read_root(path: str, node: yaml.Node, reader: Reader) -> Iterator[RawEntry]:
    if not isinstance(node, yaml.MappingNode):
        what = "a YAML file of the project must be a mapping"
        fix = f"start with one of: {', '.join(f'{kind}:' for kind in KINDS)}"
        reader.errors.append(ParseError(what, reader.place(node), fix))
        return
    for key, key_node, value_node in reader.pairs(node):
        if key == "version":
            _check_version(reader.entry(value_node), reader.place(key_node), reader.errors)
        elif key not in KINDS:
            reader.errors.append(_unknown_key(key, reader.place(key_node)))
        elif isinstance(value_node, yaml.SequenceNode):
            yield from [_read_item(key, path, item, reader) for item in value_node.value]
        elif not (isinstance(value_node, yaml.ScalarNode) and not value_node.value):
            fix = "write each entry after a dash: '- name: …'"
            reader.errors.append(ParseError(f"'{key}' must be a list", reader.place(key_node), fix))


def _read_item(kind: str, path: str, node: yaml.Node, reader: Reader) -> RawEntry:
    if kind != "sources" or not isinstance(node, yaml.MappingNode):
        return RawEntry(kind, path, reader.entry(node))
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
    return RawEntry(kind, path, head, tables)


def _check_version(entry: Entry, place: SourceLocation, errors: list[SqlmlError]) -> None:
    value: Any = entry.value
    if value != 2 or isinstance(value, bool | float):
        errors.append(ParseError(f"'version' must be 2, not {describe(value)}", place, "write 'version: 2'"))


def _unknown_key(key: str, place: SourceLocation) -> ParseError:
    if key in LATER_KEYS:
        return ParseError(f"'{key}:' is not supported yet", place, f"remove it ({LATER_KEYS[key]})")
    return ParseError(f"unknown key '{key}'", place, suggest(key, ("version", *KINDS), "the keys are"))
