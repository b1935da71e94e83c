"""Where an expression stands in SQL text: a node of the syntax tree and the statement's tokens in, offsets out.

sqlglot knows the places of names, constants and most functions, not those of what holds them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

Span = tuple[int, int]
"""Offsets in the text, the end excluded."""


def offset_of(node: exp.Expr | None) -> int:
    """Return the offset in the text of the first name in `node`; 0 if it has none."""
    if node is None:
        return 0
    own = node.meta.get("start")
    if own is not None:
        return int(own)
    starts = [found.meta["start"] for found in node.find_all(exp.Identifier) if "start" in found.meta]
    return min(starts, default=0)


class Spans:
    """Tells where the expressions of one statement stand."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._starts: list[int] = []

    def forget(self) -> None:
        """Let go of the tokens: those that ask refer to each other, and would hold them."""
        self._tokens = ()

    def of(self, node: exp.Expr | None) -> Span:
        """Return what `node` takes of the text, whole calls and parentheses included; its first token if unknown.

        A column is meant by its name, a table by the dots before its name too.
        """
        if node is None or not self._tokens:
            return 0, 1
        if isinstance(node, exp.Identifier | exp.Literal) and "start" in node.meta:
            return int(node.meta["start"]), int(node.meta["end"]) + 1
        placed = {int(found.meta["start"]): found for found in node.walk() if "start" in found.meta}
        if not placed:
            # Such as `true`: what it stands in has a place.
            return self.of(node.parent) if node.parent is not None else (0, self._tokens[0].end + 1)
        first, last = self._at(min(placed)), self._at(max(placed))
        is_call = isinstance(placed[max(placed)], exp.Func)
        if is_call and last + 1 < len(self._tokens) and self._tokens[last + 1].token_type is TokenType.L_PAREN:
            last += 1
        first, last = self._balanced(*self._with_keyword(node, first, last))
        if isinstance(node, exp.Window):
            last = self._behind_over(last)
        return self._tokens[first].start, self._tokens[last].end + 1

    def has_place(self, node: exp.Expr) -> bool:
        """Return whether anything of `node` has a place in the text."""
        return any("start" in found.meta for found in node.walk())

    def name(self, node: exp.Expr) -> Span:
        """Return where the name of a function, or what else has a place of its own, stands."""
        start, end = node.meta.get("start"), node.meta.get("end")
        return self.of(node) if start is None or end is None else (int(start), int(end) + 1)

    def count_arguments(self, node: exp.Expr) -> int | None:
        """Return how many arguments a call has; None: a star or a name makes it uncertain, or it is no call."""
        return self.count_behind(self._at(int(node.meta["start"])))

    def arguments_of(self, node: exp.Expr) -> list[Span]:
        """Return where the arguments of a call stand; empty: a star or a name makes it uncertain."""
        name = self._at(int(node.meta["start"]))
        if not self.count_behind(name):
            return []
        tokens, depth, found = self._tokens, 1, [name + 2]
        for index in range(name + 2, len(tokens)):
            depth += _nesting(tokens[index])
            if depth == 0:
                bounds = [*found, index + 1]
                return [(tokens[a].start, tokens[b - 2].end + 1) for a, b in pairwise(bounds)]
            if depth == 1 and tokens[index].token_type is TokenType.COMMA:
                found.append(index + 1)
        return []

    def count_behind(self, name: int) -> int | None:
        """Return how many arguments the call has whose name is the token at index `name`."""
        at, tokens = name + 1, self._tokens
        if at >= len(tokens) or tokens[at].token_type is not TokenType.L_PAREN:
            return None
        depth, commas, is_empty = 1, 0, True
        for index in range(at + 1, len(tokens)):
            kind = tokens[index].token_type
            depth += _nesting(tokens[index])
            if depth == 0:
                return 0 if is_empty else commas + 1
            is_empty = False
            if depth == 1 and kind is TokenType.COMMA:
                commas += 1
            elif depth == 1 and (kind in _UNCERTAIN or _is_star(tokens, index)):
                return None
        return None

    def call(self, name: int) -> Span:
        """Return where the call stands whose name is the token at index `name`."""
        return self._tokens[name].start, self._tokens[self._balanced(name, name + 1)[1]].end + 1

    def _at(self, offset: int) -> int:
        """Return the index of the token that begins at `offset`."""
        if not self._starts:
            self._starts = [token.start for token in self._tokens]
        return min(bisect_left(self._starts, offset), len(self._tokens) - 1)

    def _with_keyword(self, node: exp.Expr, first: int, last: int) -> tuple[int, int]:
        """Return the span with the word that begins the node, where sqlglot does not keep its place."""
        tokens = self._tokens
        if isinstance(node, exp.Case):
            first = next((at for at in range(first, -1, -1) if tokens[at].token_type is TokenType.CASE), first)
            last = next((at for at in range(last, len(tokens)) if tokens[at].token_type is TokenType.END), last)
        elif isinstance(node, exp.Not | exp.Neg | exp.BitwiseNot) and first and tokens[first - 1].token_type in _SIGNS:
            first -= 1
        elif isinstance(node, exp.Func) and "start" not in node.meta and first > 1:
            is_call = tokens[first - 1].token_type is TokenType.L_PAREN
            first = first - 2 if is_call and tokens[first - 2].text.isidentifier() else first
        return first, last

    def _behind_over(self, last: int) -> int:
        """Return the last token of an OVER without a name in it, such as `over ()`."""
        tokens = self._tokens
        if last + 2 < len(tokens) and tokens[last + 1].token_type is TokenType.OVER:
            return self._balanced(last, last + 2)[1]
        return last

    def _balanced(self, first: int, last: int) -> tuple[int, int]:
        """Return the span widened until each parenthesis and bracket in it has its other half."""
        tokens = self._tokens
        depth = lowest = 0
        for token in tokens[first : last + 1]:
            depth += _nesting(token)
            lowest = min(lowest, depth)
        opened, missing = depth - lowest, -lowest
        while missing and first:
            first -= 1
            missing -= _nesting(tokens[first])
            if not missing and first and tokens[first - 1].text.isidentifier():
                first -= 1
        while opened and last + 1 < len(tokens):
            last += 1
            opened += _nesting(tokens[last])
        return first, last


_SIGNS = (TokenType.NOT, TokenType.DASH, TokenType.TILDE)
# `=>` names an argument; types with parameters have commas, and `<` of their own.
_UNCERTAIN = (TokenType.FARROW, TokenType.ALIAS, TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.WHERE)


def _is_star(tokens: Sequence[Token], at: int) -> bool:
    """Return whether the token at `at` is a star that stands for columns, and no product."""
    before = tokens[at - 1].token_type
    return tokens[at].token_type is TokenType.STAR and before in (TokenType.L_PAREN, TokenType.COMMA, TokenType.DOT)


def _nesting(token: Token) -> int:
    kind = token.token_type
    if kind in (TokenType.L_PAREN, TokenType.L_BRACKET):
        return 1
    return -1 if kind in (TokenType.R_PAREN, TokenType.R_BRACKET) else 0
