"""YAML: the text of one file in, values with the line and column of each of their keys out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from sqlml.errors import ParseError, SqlmlError
from sqlml.ir.location import Places, SourceLocation

Render = Callable[[str, SourceLocation], Any]
"""Gives the value of a string that holds Jinja."""

Pair = tuple[str, yaml.Node, yaml.Node]
"""A key, the node of the key, the node of its value."""

# libyaml's composer and ours call themselves for each level: deeper nesting ends the process before any error.
MAX_DEPTH = 100
# Aliases of aliases can make a small file endless.
MAX_VALUES = 200_000

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"yes", "true", "on"})
# YAML 1.1 reads 1e-3 as text, which no one who writes a parameter expects.
_SCIENTIFIC = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")

if TYPE_CHECKING:
    from yaml import SafeLoader as _BaseLoader
else:
    _BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BaseLoader):
    """Finds the type of plain scalars in half the time, having no types that depend on a path."""

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Do nothing."""

    def ascend_resolver(self) -> None:
        """Do nothing."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Return the tag of a node that is written without one."""
        if kind is yaml.ScalarNode:
            if implicit[0]:
                for tag, pattern in self.yaml_implicit_resolvers.get(value[:1], ()):
                    if pattern.match(value):
                        return str(tag)
            return f"{_TAG}str"
        return f"{_TAG}seq" if kind is yaml.SequenceNode else f"{_TAG}map"


_NUMBERS = yaml.constructor.SafeConstructor()


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a YAML file and the places of it and of all keys below it.

    Attributes:
        broken: dotted paths of the values that could not be read; an error for each is reported already.
    """

    value: Any
    places: Places
    broken: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Noted:
    """Places noted while a value is read, by dotted key path."""

    keys: dict[str, SourceLocation] = field(default_factory=dict)
    values: dict[str, SourceLocation] = field(default_factory=dict)


def _is_block(node: yaml.Node) -> bool:
    """Return whether `node` takes lines of its own below its key; where it ends says nothing."""
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def compose(path: str, text: str) -> yaml.Node | None:
    """Return the root node of a YAML text; None if the text holds nothing.

    Raises:
        ParseError: at the place where it stops being YAML.
    """
    try:
        _check_depth(path, text)
        loader = _Loader(text)
        try:
            root: yaml.Node | None = loader.get_single_node()
            return root
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _explain(path, text, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        what = f"character U+{code:04X} is not allowed in YAML"
        raise ParseError(what, SourceLocation(path, line), "remove it, it is not visible in most editors") from None


def _check_depth(path: str, text: str) -> None:
    if sum(text.count(opening) for opening in ("[", "{", "- -", "? ?")) < MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            place = SourceLocation(path, *_line_and_column(event.start_mark))
            raise ParseError(f"values are nested more than {MAX_DEPTH} deep", place, "close a bracket that is open")


def _line_and_column(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _explain(path: str, text: str, error: yaml.MarkedYAMLError) -> ParseError:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    # At the end of the file, what was opened and never closed says more than the end.
    if mark is not None and mark.line >= len(lines) and error.context_mark is not None:
        mark = error.context_mark
    line, column = _line_and_column(mark)
    if line > len(lines) > 0:
        line, column = len(lines), len(lines[-1])
    written = lines[line - 1] if lines else ""
    problem = re.sub(r"\s+", " ", error.problem or "it is not YAML").strip()
    what, fix = _say(problem, error.context or "", written)
    return ParseError(what, SourceLocation(path, line, column), fix)


# What libyaml calls it, in its context or its problem, to what is wrong and its fix.
_EXPLANATIONS = (
    ("alias", "a value that starts with * must stand in quotes", 'write "*"'),
    ("expected node content", "a value is missing here, or a bracket is never closed", "see the brackets there"),
    ("quoted scalar", "a quoted text is never closed, or goes on after its quote", "see the quotes there"),
    ("flow sequence", "a list in [ ] is not closed, or lacks a comma", "see the brackets, commas and quotes there"),
    ("flow mapping", "a mapping in { } is not closed, or lacks a comma", "see the braces, commas and quotes there"),
    ("another document", "a file holds one YAML document only", "remove the line '---', or write two files"),
    (
        "mapping values are not allowed",
        "YAML cannot read this line: a ':' stands in a value, or the line is indented wrongly",
        "put a text that contains ': ' in quotes, or align the key with its neighbours",
    ),
    ("cannot start any token", "a value cannot start with this character", "put the value in quotes"),
    (
        "while parsing a block",
        "YAML cannot read this line: its indentation or its quotes do not fit the lines above",
        "align keys of one mapping, and the dashes of one list, below each other",
    ),
)


def _say(problem: str, context: str, written: str) -> tuple[str, str]:
    """Return what is wrong and its fix, in words that need no knowledge of YAML's grammar."""
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent:
        return "YAML takes no tabs in front of a line", "indent with spaces"
    if re.search(r":\s*\{\{", written):
        return "a value that starts with '{{' must stand in quotes", "write \"{{ var('name') }}\""
    for words, what, fix in _EXPLANATIONS:
        if words in context or words in problem:
            return what, fix
    return f"YAML cannot read this: {problem}", "see the quotes, the colons and the indentation there"


@dataclass(slots=True)
class Reader:
    """Turns the nodes of one file into values; what is wrong is added to `errors` and left out of the values.

    Attributes:
        path: the file, for places.
        render: gives the value of strings with Jinja.
        errors: where errors go.
    """

    path: str
    render: Render
    errors: list[SqlmlError]
    _n_values: int = field(default=0, init=False)
    _broken: set[str] = field(default_factory=set, init=False)

    def place(self, node: yaml.Node) -> SourceLocation:
        """Return where `node` starts, and where it ends unless it is a block of lines."""
        start, end = node.start_mark, node.end_mark
        if _is_block(node):
            return SourceLocation(self.path, start.line + 1, start.column + 1)
        return SourceLocation(self.path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def entry(self, node: yaml.Node, place: SourceLocation | None = None) -> Entry:
        """Return the value of `node` with its places, which start at `place` (default: where the node starts)."""
        noted = _Noted()
        self._broken.clear()
        value = self._value(node, "", noted, 0)
        places = Places(place or self.place(node), noted.keys, noted.values)
        return Entry(value, places, frozenset(self._broken))

    def pairs(self, node: yaml.MappingNode, depth: int = 0) -> list[Pair]:
        """Return the pairs of a mapping, with those that `<<` merges; a key given twice is an error."""
        own: dict[str, Pair] = {}
        merged: dict[str, Pair] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.errors.append(self._bad_key(key_node))
            elif key_node.tag == f"{_TAG}merge":
                for pair in self._merged(value_node, depth):
                    merged.setdefault(pair[0], pair)
            elif key_node.value in own:
                first = self.place(own[key_node.value][1])
                what = f"key '{key_node.value}' is given twice, first in line {first.line}"
                self.errors.append(ParseError(what, self.place(key_node), "remove one of the two"))
            else:
                own[key_node.value] = (key_node.value, key_node, value_node)
        return [*own.values(), *(pair for key, pair in merged.items() if key not in own)]

    def _merged(self, node: yaml.Node, depth: int) -> list[Pair]:
        if depth > MAX_DEPTH:
            self.errors.append(ParseError("an alias contains itself", self.place(node), "write the value out"))
            return []
        if isinstance(node, yaml.MappingNode):
            return self.pairs(node, depth + 1)
        if isinstance(node, yaml.SequenceNode):
            return [pair for item in node.value for pair in self._merged(item, depth + 1)]
        self.errors.append(ParseError("'<<' takes a mapping", self.place(node), "write '<<: *name_of_an_anchor'"))
        return []

    def _bad_key(self, node: yaml.Node) -> ParseError:
        if isinstance(node, yaml.MappingNode) and node.flow_style:
            what = "a value that starts with '{{' must stand in quotes"
            return ParseError(what, self.place(node), "write \"{{ var('name') }}\"")
        return ParseError("a key must be a text", self.place(node), "write 'key: value'")

    def _value(self, node: yaml.Node, path: str, noted: _Noted, depth: int) -> Any:
        self._n_values += 1
        if depth > MAX_DEPTH or self._n_values > MAX_VALUES:
            what = "an alias contains itself" if depth > MAX_DEPTH else f"the file has more than {MAX_VALUES} values"
            raise ParseError(what, self.place(node), "write the value out instead of using an alias")
        prefix = f"{path}." if path else ""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if not node.tag.startswith(_TAG):
            return self._fail(path, self._bad_tag(node))
        if isinstance(node, yaml.MappingNode):
            values: dict[str, Any] = {}
            if not all(isinstance(key_node, yaml.ScalarNode) for key_node, _ in node.value):
                self._broken.add(path)
            for key, key_node, value_node in self.pairs(node):
                noted.keys[prefix + key] = self.place(key_node)
                if not _is_block(value_node) and value_node.start_mark.index < value_node.end_mark.index:
                    noted.values[prefix + key] = self.place(value_node)
                values[key] = self._value(value_node, prefix + key, noted, depth + 1)
            return values
        items: list[Any] = []
        for position, item in enumerate(node.value):
            noted.keys[f"{prefix}{position}"] = self.place(item)
            items.append(self._value(item, f"{prefix}{position}", noted, depth + 1))
        return items

    def _fail(self, path: str, error: SqlmlError) -> None:
        self._broken.add(path)
        self.errors.append(error)

    def _bad_tag(self, node: yaml.Node) -> ParseError:
        return ParseError(
            f"tag '{node.tag}' is not known here", self.place(node), "remove it, or put the value in quotes"
        )

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            if "{{" in text or "{%" in text:
                return self._rendered(text, node, path)
            return float(text) if not node.style and _SCIENTIFIC.fullmatch(text) else text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in _TRUE
        if kind in ("int", "float"):
            return self._number(kind, node)
        # Dates stay text, as they are written: Spark reads them, and Python's type would lose their form.
        if kind in ("timestamp", "value"):
            return text
        return self._fail(path, self._bad_tag(node))

    def _number(self, kind: str, node: yaml.ScalarNode) -> Any:
        # YAML 1.1 reads 12:30 as 750.
        if ":" in node.value:
            return node.value
        try:
            return _NUMBERS.construct_yaml_int(node) if kind == "int" else _NUMBERS.construct_yaml_float(node)
        except ValueError:
            return node.value

    def _rendered(self, text: str, node: yaml.ScalarNode, path: str) -> Any:
        try:
            return self.render(text, self.place(node))
        except SqlmlError as error:
            return self._fail(path, error)
