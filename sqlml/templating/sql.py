"""SQL templates: macro files and a template in, SQL with an exact map back to the template out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from jinja2 import Undefined, nodes

from sqlml.errors import ParseError, SqlmlError, raise_all
from sqlml.ir.dag import Rendered, Segment
from sqlml.ir.location import SourceLocation, locate_line
from sqlml.ir.project import MacroFile
from sqlml.templating.direct import DirectTemplate, read_parts
from sqlml.templating.environment import (
    LINE_BITS,
    Literal,
    ParsedTemplate,
    Piece,
    PlacedTemplate,
    TemplateEnvironment,
    raise_compiler_error,
    value_functions,
)
from sqlml.templating.faults import SHIPPED, TEMPLATE_FAULTS, explain

_FUNCTIONS_OF_A_NODE = frozenset({"ref", "source", "predict", "ml_table", "config", "this", "target", "log"})


class Templates:
    """The macros and variables of a project, ready to render its SQL.

    Attributes:
        macros: name of each macro that templates can call, to the place of its definition.

    Raises:
        ParseError, ErrorList: for macro files that cannot be read, and for names that are taken.
    """

    def __init__(
        self, macro_files: Sequence[MacroFile], variables: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self.jinja = TemplateEnvironment()
        self.globals: dict[str, Any] = {
            **self.jinja.globals,
            **value_functions(variables, environment, are_secrets_allowed=False),
            "exceptions": SimpleNamespace(raise_compiler_error=raise_compiler_error),
        }
        self.macros: dict[str, SourceLocation] = {}
        self.files: dict[str, _Macros] = {}
        errors: list[SqlmlError] = []
        # Shipped first, so that the project's own win.
        for file in sorted(macro_files, key=lambda file: (not file.shipped, file.path)):
            try:
                self._add(file, errors)
            except TEMPLATE_FAULTS as error:
                text = _with_plain_newlines(file.text)
                errors.append(explain(error, locate_line(file.path, text, 1), (), self.jinja, text))
        raise_all(errors)

    def _add(self, file: MacroFile, errors: list[SqlmlError]) -> None:
        text = _with_plain_newlines(file.text)
        parsed = self.jinja.parse_checked(text, file.path)
        macros: dict[str, SourceLocation] = {}
        for macro in parsed.statements:
            if not isinstance(macro, nodes.Macro):
                continue
            place = locate_line(file.path, text, macro.lineno)
            before = macros.get(macro.name) or self._own(macro.name)
            if macro.name in self.globals or macro.name in _FUNCTIONS_OF_A_NODE:
                errors.append(ParseError(f"a macro may not be called '{macro.name}'", place, "it is sqlml's own name"))
            elif before is not None:
                what = f"macro '{macro.name}' is defined twice: first at {before}"
                errors.append(ParseError(what, place, "rename one of the two"))
            macros.setdefault(macro.name, place)
        code = self.jinja.compile(parsed.tree, SHIPPED if file.shipped else "project", file.path)
        template = PlacedTemplate.of(self.jinja, code, text)
        # A macro whose name begins with an underscore is known in its own file only (Jinja does not export it).
        public = {name: place for name, place in macros.items() if not name.startswith("_")}
        compiled = _Macros(template, frozenset(public), file.shipped)
        self.macros |= public
        self.files |= dict.fromkeys(public, compiled)

    def _own(self, name: str) -> SourceLocation | None:
        file = self.files.get(name)
        return self.macros[name] if file is not None and not file.is_shipped else None

    def names(self, functions: Mapping[str, Any], looked_up: set[str] | None = None) -> _Names:
        """Return all that a template can name, `functions` included; what it does name is added to `looked_up`."""
        return _Names(self.globals, functions, self.files, set() if looked_up is None else looked_up)


class _Macros:
    """A compiled file of macros."""

    __slots__ = ("is_shipped", "names", "template")

    def __init__(self, template: PlacedTemplate, names: frozenset[str], is_shipped: bool) -> None:
        self.template = template
        self.names = names
        self.is_shipped = is_shipped


class _Names(dict[str, Any]):
    """What one rendering can name. A macro file is bound to it when one of its macros is first named, since a project
    has many macros, a template few, and each rendering its own `ref()`.
    """

    def __init__(
        self,
        known: Mapping[str, Any],
        functions: Mapping[str, Any],
        files: Mapping[str, _Macros],
        looked_up: set[str],
    ) -> None:
        super().__init__(known)
        self.update(functions)
        self._files = files
        self._begun: set[_Macros] = set()
        self._looked_up = looked_up

    def __contains__(self, name: object) -> bool:
        self._looked_up.add(str(name))
        return super().__contains__(name) or (name in self._files and self._files[str(name)] not in self._begun)

    def __missing__(self, name: str) -> Any:
        file = self._files[name]
        self._begun.add(file)
        context = file.template.new_context(self, shared=True)
        for _ in file.template.root_render_func(context):
            pass
        self.update({own: context.vars[own] for own in file.names if self._files[own] is file})
        return self[name]


def render_sql(
    templates: Templates,
    text: str,
    path: str,
    functions: Mapping[str, Any],
    looked_up: set[str] | None = None,
) -> Rendered:
    """Return `text` rendered, with the way back to each of its characters.

    Args:
        templates: the project's macros and variables.
        text: the template.
        path: its file, relative to the root.
        functions: what this node's template can name besides: `ref`, `source`, `this`, …
        looked_up: gets each name that the template, or a macro that it calls, looks up, defined or not.

    Raises:
        ParseError: for a template that cannot be read or that fails; and what `functions` raise, with the place of
            the call.
    """
    text = _with_plain_newlines(text)
    if "{{" not in text and "{%" not in text and "{#" not in text:
        return Rendered(text, path, text, (Segment(0, len(text), 1, 0),) if text else ())
    names = templates.names(functions, looked_up)
    try:
        return _gather(_render(templates.jinja, text, path, names, functions), path, text)
    except TEMPLATE_FAULTS as error:
        known = ("var", "env_var", *functions, *templates.macros)
        fault = explain(error, locate_line(path, text, 1), known, templates.jinja, text)
    raise fault


def evaluate(templates: Templates, text: str, location: SourceLocation, functions: Mapping[str, Any]) -> Any:
    """Return the value of a Jinja expression that stands in YAML without braces, such as `ref('x')`.

    Raises:
        ParseError: for an expression that cannot be read or that fails; and what `functions` raise; all at `location`.
    """
    try:
        value = templates.jinja.compile_expression(text, undefined_to_none=False)(**functions)
        if isinstance(value, Undefined):
            str(value)  # fails, by the name
        return value
    except TEMPLATE_FAULTS as error:
        fault = explain(error, location, functions, templates.jinja)
    fault.location = location
    raise fault


def _with_plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _render(
    jinja: TemplateEnvironment, text: str, path: str, names: _Names, functions: Mapping[str, Any]
) -> Iterator[tuple[Piece, str]]:
    """Yield each piece of a template with the text that it makes."""
    parsed = jinja.parse_checked(text, path)
    pieces = _number_pieces(parsed)
    parts = read_parts(parsed.tree, functions)
    if parts is not None:
        return DirectTemplate(jinja, path, text).render(parts, pieces, names)
    return _run(PlacedTemplate.of(jinja, jinja.compile(parsed.tree, "project", path), text, pieces), names)


def _number_pieces(parsed: ParsedTemplate) -> tuple[Piece, ...]:
    """Return the pieces of a template, and let its nodes tell the number of theirs.

    Each piece's number goes into the upper bits of its node's line number. Jinja keeps the line number for each line
    of Python it writes, and the environment writes one line for each piece, so the line of Python that yields some
    text tells the piece; nothing is added to the text, which therefore is what Jinja would have rendered.
    """
    outputs = [child for node in parsed.statements if isinstance(node, nodes.Output) for child in node.nodes]
    expressions = [child for child in outputs if not isinstance(child, nodes.TemplateData)]
    # `{% print %}` makes text as well, and then it is not known which is which.
    places = parsed.expressions if len(parsed.expressions) == len(expressions) else ()
    in_braces = iter(places)
    pieces: list[Piece] = []
    for child in outputs:
        literal = child.data if isinstance(child, nodes.TemplateData) else None
        offset = literal.offset if isinstance(literal, Literal) else None
        pieces.append(Piece(child.lineno, offset, None if literal is not None else next(in_braces, None)))
        child.lineno |= len(pieces) << LINE_BITS
    return tuple(pieces)


def _run(template: PlacedTemplate, names: _Names) -> Iterator[tuple[Piece, str]]:
    numbers = {python_line: number for number, python_line in template.debug_info}
    python_lines = sorted(numbers)
    # Not a bare loop: the frame of the suspended generator is what tells the line.
    generator: Any = template.root_render_func(template.new_context(names, shared=True))
    for chunk in generator:
        index = bisect_right(python_lines, generator.gi_frame.f_lineno) - 1
        number = numbers[python_lines[index]] >> LINE_BITS if index >= 0 else 0
        yield template.pieces[number - 1] if number else Piece(1), chunk


def _gather(made: Iterable[tuple[Piece, str]], path: str, text: str) -> Rendered:
    chunks: list[str] = []
    segments: list[Segment] = []
    at = 0
    for piece, chunk in made:
        if chunk:
            segments.append(Segment(at, at + len(chunk), piece.line, piece.offset, piece.made_by))
            chunks.append(chunk)
            at += len(chunk)
    return Rendered("".join(chunks), path, text, tuple(segments))
