"""Templates of nothing but text and calls like `{{ ref('x') }}`: a syntax tree in, the text of each of its pieces out.

Jinja makes Python of a template, and Python code of that, which takes far longer than to make the few calls that most
templates consist of.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from jinja2 import nodes

from sqlml.ir.location import SourceLocation
from sqlml.templating.environment import Piece, TemplateEnvironment


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function with constants."""

    function: str
    values: tuple[Any, ...]
    named: Mapping[str, Any]


def read_parts(tree: nodes.Template, functions: Container[str]) -> list[str | Call] | None:
    """Return what each piece of a template is; None if one is more than text or a call of one of `functions`."""
    parts: list[str | Call] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            return None
        for child in node.nodes:
            part = child.data if isinstance(child, nodes.TemplateData) else _read_call(child, functions)
            if part is None:
                return None
            parts.append(part)
    return parts


def _read_call(node: nodes.Expr, functions: Container[str]) -> Call | None:
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name) or node.node.name not in functions:
        return None
    names = [keyword.key for keyword in node.kwargs]
    given = [*node.args, *[keyword.value for keyword in node.kwargs]]
    if node.dyn_args or node.dyn_kwargs or len(set(names)) < len(names) or not all(map(_is_constant, given)):
        return None
    constants = [value.as_const() for value in given]
    values, named = constants[: len(node.args)], constants[len(node.args) :]
    return Call(node.node.name, tuple(values), dict(zip(names, named, strict=True)))


def _is_constant(node: nodes.Expr) -> bool:
    if isinstance(node, nodes.List | nodes.Tuple):
        return all(map(_is_constant, node.items))
    if isinstance(node, nodes.Dict):
        return all(_is_constant(pair.key) and _is_constant(pair.value) for pair in node.items)
    return isinstance(node, nodes.Const)


class DirectTemplate:
    """A template whose functions are called here, as Jinja's own code would call them."""

    def __init__(self, jinja: TemplateEnvironment, path: str, text: str) -> None:
        self._jinja = jinja
        self._path = path
        self._text = text

    def render(
        self, parts: Sequence[str | Call], pieces: Sequence[Piece], names: dict[str, Any]
    ) -> Iterator[tuple[Piece, str]]:
        """Yield each piece with the text that it makes."""
        context = self._jinja.context_class(self._jinja, names, "project", {})
        for part, piece in zip(parts, pieces, strict=True):
            if isinstance(part, str):
                yield piece, part
            else:
                function = context.resolve_or_missing(part.function)
                yield piece, str(self._jinja.call(context, function, *part.values, **part.named))

    @classmethod
    def place_of(cls, frame: FrameType) -> SourceLocation | None:
        """Return the place of the piece that is being made in a frame of Python; None if none is made in it."""
        if frame.f_code is not cls.render.__code__:
            return None
        found: DirectTemplate = frame.f_locals["self"]
        piece: Piece = frame.f_locals["piece"]
        return piece.place(found._path, found._text)
