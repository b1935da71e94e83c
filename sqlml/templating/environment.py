"""The Jinja environment that every template of a project is read with: sandboxed, strict, without chance or files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, NoReturn, cast

from jinja2 import Environment, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateAssertionError, UndefinedError
from jinja2.lexer import Lexer
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from sqlml.errors import ParseError, suggest
from sqlml.ir.location import SourceLocation, locate_line, locate_span

LINE_BITS = 20
"""A node's line number carries in its higher bits which piece of the template it is (see `sqlml.templating.sql`)."""

SECRET_PREFIXES = ("SQLML_SECRET_", "DBT_ENV_SECRET_")


def real_line(number: int) -> int:
    """Return the line in the template, from 1, of a node's line number."""
    return number & ((1 << LINE_BITS) - 1)


class UndefinedName(UndefinedError):
    """An undefined name was used.

    Attributes:
        name: what is missing.
        siblings: for a key of a mapping: the keys that there are; None for anything else.
        kind: `name`, `function` (a name that was called), `attribute` (or element) of something, or `argument` of a
            macro that the call left out.
    """

    def __init__(self, message: str, name: str, siblings: tuple[str, ...] | None, kind: str) -> None:
        super().__init__(message)
        self.name = name
        self.siblings = siblings
        self.kind = kind


class _Undefined(StrictUndefined):
    """Fails on any use, and tells what was missing."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, *rest: Any, **named: Any) -> None:
        super().__init__(hint, *rest, **named)
        if self._undefined_exception is UndefinedError:
            self._undefined_exception = self._fault  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        # What the sandbox asks of whatever is about to be called; what it refuses has an exception of its own.
        if name == "unsafe_callable" and not isinstance(self._undefined_exception, type):
            raise self._fault(self._undefined_message, is_called=True)
        return super().__getattr__(name)

    def _fault(self, message: str | None, is_called: bool = False) -> UndefinedName:
        parent = self._undefined_obj
        kind = "attribute" if parent is not missing else "function" if is_called else "name"
        if (self._undefined_hint or "").startswith("parameter "):
            kind = "argument"
        siblings = tuple(map(str, parent)) if isinstance(parent, dict) else None
        return UndefinedName(str(message), str(self._undefined_name), siblings, kind)


class _PieceByPiece(CodeGenerator):
    """Yields each literal and each expression of a template by itself, on a line of Python that tells which it is."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        if frame.buffer is not None:
            super().visit_Output(node, frame)
            return
        for child in node.nodes:
            self.newline(child)
            super().visit_Output(nodes.Output([child], lineno=child.lineno), frame)


class Literal(str):
    """A stretch of a template's literal text that knows where it begins."""

    __slots__ = ("offset",)
    offset: int


class _PlacedLexer(Lexer):
    """Reads a template whose newlines are plain, and tells where each stretch of literal text begins.

    Attributes:
        expressions: of the template read last: offsets of each expression, braces included, end excluded.
    """

    expressions: list[tuple[int, int]]

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        at = begin = 0
        self.expressions = expressions = []
        for line, kind, token in super().tokeniter(source, name, filename, state):
            # Only white space that `{%-` swallows is not in a token.
            at = source.index(token, at)
            if kind == "data":
                literal = Literal(token)
                literal.offset = at
                yield line, kind, literal
            else:
                yield line, kind, token
            if kind == "variable_begin":
                begin = at
            elif kind == "variable_end":
                expressions.append((begin, at + len(token.rstrip())))
            at += len(token)

    def _normalize_newlines(self, value: str) -> str:
        # They are plain already, and a substitution would forget the offset.
        return value


@dataclass(frozen=True, slots=True)
class ParsedTemplate:
    """A template's syntax tree.

    Attributes:
        statements: in order, those within others too.
        expressions: offsets of what stands in `{{ }}`, braces included, end excluded, in order.
    """

    tree: nodes.Template
    statements: tuple[nodes.Node, ...]
    expressions: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a template that makes text.

    Attributes:
        line: from 1.
        offset: of literal text; None for an expression.
        made_by: offsets of an expression, as in `Segment`.
    """

    line: int
    offset: int | None = None
    made_by: tuple[int, int] | None = None

    def place(self, path: str, text: str) -> SourceLocation:
        """Return where it stands: its expression, else the line."""
        if self.made_by is not None:
            return locate_span(path, text, *self.made_by)
        return locate_line(path, text, self.line)


class PlacedTemplate(Template):
    """A compiled template that knows its text.

    Attributes:
        text: as it stands in its file, its newlines plain.
        pieces: what it consists of, if it is rendered piece by piece.
    """

    text: str = ""
    pieces: tuple[Piece, ...] = ()

    @classmethod
    def of(cls, environment: Environment, code: CodeType, text: str, pieces: tuple[Piece, ...] = ()) -> PlacedTemplate:
        """Return the template that `text` was compiled to."""
        template = cast("PlacedTemplate", cls.from_code(environment, code, {}))
        template.text, template.pieces = text, pieces
        return template

    def locate(self, number: int) -> SourceLocation:
        """Return the place of a node's line number: the expression that it tells, else the line."""
        at = number >> LINE_BITS
        piece = self.pieces[at - 1] if 0 < at <= len(self.pieces) else Piece(real_line(number))
        return piece.place(str(self.filename), self.text)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja as sqlml has it: the same text for the same project, always, and nothing but text."""

    code_generator_class = _PieceByPiece

    def __init__(self) -> None:
        # Templates are rendered once, so that folding their constants costs more than it saves.
        super().__init__(
            undefined=_Undefined, keep_trailing_newline=True, extensions=["jinja2.ext.do"], optimized=False
        )
        # Chance has no place in what is fingerprinted.
        del self.filters["random"]
        del self.globals["lipsum"]
        self._placed_lexer = _PlacedLexer(self)

    @property
    def lexer(self) -> Lexer:
        """The lexer that knows places."""
        return self._placed_lexer

    def parse_checked(self, text: str, path: str) -> ParsedTemplate:
        """Return the template's tree; raise TemplateAssertionError for tags that need other files.

        Args:
            text: the template, its newlines plain.
            path: its file.
        """
        tree = self.parse(text, None, path)
        statements = list(_statements(tree.body))
        for node in statements:
            if isinstance(node, _TAGS_OF_OTHER_FILES):
                tag = "from" if isinstance(node, nodes.FromImport) else type(node).__name__.lower()
                message = f"tag '{tag}' is not known here: every macro of the project can be called by its name"
                raise TemplateAssertionError(message, node.lineno, None, path)
        return ParsedTemplate(tree, tuple(statements), tuple(self._placed_lexer.expressions))


_TAGS_OF_OTHER_FILES = (nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends, nodes.Block)


def _statements(body: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    for node in body:
        yield node
        for field in ("body", "elif_", "else_"):
            inner = getattr(node, field, None)
            if inner:
                yield from _statements(inner)


def value_functions(
    variables: Mapping[str, Any], environment: Mapping[str, str], are_secrets_allowed: bool
) -> dict[str, Callable[..., Any]]:
    """Return `var()` and `env_var()`; they raise ParseError (without a place) for what is not set."""

    def var(name: Any, default: Any = missing) -> Any:
        key = _text(name, "var")
        if key in variables:
            return variables[key]
        if default is not missing:
            return default
        ways = f"set it under 'vars:' in sqlml_project.yml or with --vars, or give a default: var('{key}', …)"
        raise ParseError(f"variable '{key}' is not set", None, f"{suggest(key, variables, 'there are')}; {ways}")

    def env_var(name: Any, default: Any = missing) -> Any:
        key = _text(name, "env_var")
        if not are_secrets_allowed and key.upper().startswith(SECRET_PREFIXES):
            fix = "SQL is written to target/, to logs and into the manifest; read the secret in YAML instead"
            raise ParseError(f"environment variable '{key}' is a secret and may not stand in SQL", None, fix)
        if key in environment:
            return environment[key]
        if default is not missing:
            return default
        what = f"environment variable '{key}' is not set"
        raise ParseError(what, None, f"set it, or give a default: env_var('{key}', …)")

    return {"var": var, "env_var": env_var}


def _text(value: Any, function: str) -> str:
    if not isinstance(value, str):
        # An undefined name given as an argument fails when it is made text, by the name.
        raise ParseError(f"{function}() takes a name, not {str(value)!r}", None, f"write {function}('name')")
    return value


def raise_compiler_error(message: Any) -> NoReturn:
    """Refuse what a macro was called with (`exceptions.raise_compiler_error` in a template)."""
    raise MacroRefusal(str(message), fix="call the macro with what it takes")


class MacroRefusal(ParseError):
    """A macro refused what it was called with: the place is the call in the SQL file."""
