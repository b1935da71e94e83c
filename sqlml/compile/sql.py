"""Reads SQL text: a rendered statement in, its tokens and syntax tree out; what cannot be read is a placed error."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from sqlglot import exp
from sqlglot.dialects.databricks import Databricks
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ErrorLevel, TokenError
from sqlglot.errors import ParseError as SqlglotParseError
from sqlglot.tokenizer_core import Token, TokenType

from sqlml.compile.checks.counts import wrong_count
from sqlml.compile.checks.problem import Problem
from sqlml.compile.checks.spark_table import spark_table
from sqlml.compile.pipelines import has_pipe, is_misread
from sqlml.compile.spans import Spans
from sqlml.errors import CompileError, ErrorList, SqlmlError
from sqlml.ir.location import SourceLocation


class Locate(Protocol):
    """Gives the place in the user's file of a stretch of SQL text."""

    def __call__(self, start: int, end: int | None = None, /) -> SourceLocation:
        """Return where the characters from `start` to `end` (excluded) came from; None: it is not known how many."""


# How sqlglot's complaints about the number of a function's arguments begin.
_COUNTED = ("Required", "The number of provided arguments")
# After a comma these can only mean that something is missing; sqlglot reads over it, Spark does not.
_NO_ITEM = (TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM)

# By how sqlglot's complaints begin.
_FIXES = MappingProxyType(
    {
        "something is missing": "complete what stands before it, or take the word or sign away that needs more",
        "expect": "add what is missing there, or look before it for what is never closed",
        "invalid": "look before it for a comma, an operator or a closing parenthesis that is missing",
    }
)
# Not calls, though functions have the same names.
_WORDS = (TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.IN, TokenType.LIKE, TokenType.STRING)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT-like statement.

    Attributes:
        text: without trailing semicolons.
        tokens: without trailing semicolons; comments are no tokens.
        miscounted: calls with a wrong number of arguments, which may be in `tree` without them.
    """

    text: str
    tokens: tuple[Token, ...]
    tree: exp.Expr
    miscounted: tuple[Problem, ...] = ()


def parse_statement(text: str, what: str, locate: Locate) -> Statement:
    """Parse `text` as one query in Spark's dialect.

    Args:
        what: whose SQL it is, for errors (`sql model 'x'`).
        locate: offsets in `text` -> place in the user's file.

    Raises:
        CompileError: it cannot be read, is empty, is no query, or is more than one statement.
    """
    tokens = tokenize(text, what, locate)
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        text = text[: tokens.pop().start]
    if not tokens:
        raise CompileError(f"{what} has no SQL", locate(0), "write a SELECT")
    _check_commas(tokens, what, locate)
    if is_misread(tokens):
        return Statement(text, tuple(tokens), _unread())
    try:
        trees, miscounted = _parse(tokens, text, what, locate)
    except SqlglotParseError as error:
        if has_pipe(tokens) and str(error.errors[0].get("description")).startswith("Unsupported pipe"):
            return Statement(text, tuple(tokens), _unread())
        raise _unreadable(error.errors[0], tokens, what, locate) from None
    except RecursionError:
        raise CompileError(
            f"{what} is nested too deeply to be read", locate(0), "split it into several SQL models"
        ) from None
    except (IndexError, ValueError, TypeError, AttributeError):
        if has_pipe(tokens):
            return Statement(text, tuple(tokens), _unread())
        # So sqlglot ends on some calls without their arguments, such as `map('a')`.
        raise _miscounted(tokens, what, locate) from None
    if len(trees) > 1:
        second = next(token for token in tokens if token.token_type is TokenType.SEMICOLON)
        raise CompileError(
            f"{what} has more than one statement",
            locate(*_place(second)),
            "keep one SELECT; give others their own files",
        )
    tree = trees[0]
    if not isinstance(tree, exp.Query) or isinstance(tree, exp.Table):
        first = tokens[0]
        raise CompileError(
            f"{what} is not a SELECT", locate(*_place(first)), "write one SELECT; sqlml writes its result"
        )
    return Statement(text, tuple(tokens), tree, tuple(miscounted))


def _unread() -> exp.Expr:
    """Return a tree of which nothing is known: what sqlglot cannot read of what Spark can."""
    return _spark().parse("select * from pipeline()")[0] or exp.Select()


def tokenize(text: str, what: str, locate: Locate) -> list[Token]:
    """Return the tokens of `text`; see `parse_statement` for the arguments.

    Raises:
        CompileError: a quote or a comment is never closed.
    """
    try:
        tokens = list(_spark().tokenize(text))
    except TokenError:
        offset = _unclosed(text)
        shown = text[offset : offset + 2] if text.startswith("/*", offset) else text[offset : offset + 1]
        raise CompileError(
            f"{what} cannot be read: {shown} is never closed", locate(offset, offset + len(shown)), f"close the {shown}"
        ) from None
    kinds = [token.token_type for token in tokens]
    if TokenType.WINDOW in kinds:
        for token, following in zip(tokens, kinds[1:], strict=False):
            # `window` is also a function, which sqlglot does not know after GROUP BY.
            if token.token_type is TokenType.WINDOW and following is TokenType.L_PAREN:
                token.token_type = TokenType.VAR
    return tokens


@functools.cache
def _spark() -> Spark:
    return Spark()


def _parse(tokens: list[Token], text: str, what: str, locate: Locate) -> tuple[list[exp.Expr | None], list[Problem]]:
    """Return the syntax trees, and the calls with a wrong number of arguments that sqlglot stumbles over."""
    tokens = _as_sqlglot_reads(tokens)
    try:
        return _spark().parser().parse(tokens, text), []
    except SqlglotParseError as error:
        if any(token.token_type is TokenType.COLON for token in tokens):
            with suppress(SqlglotParseError):
                # Paths into a variant, as in `v:a.b[0]`: sqlglot has them in its dialect for Databricks alone.
                return Databricks().parser().parse(tokens, text), []
        if not _is_count(error.errors[0], tokens, []):
            raise
    return _parse_miscounted(tokens, text, what, locate)


def _parse_miscounted(
    tokens: list[Token], text: str, what: str, locate: Locate
) -> tuple[list[exp.Expr | None], list[Problem]]:
    """Parse past calls whose number of arguments sqlglot does not take: it counts by other dialects' functions."""
    found: list[Problem] = []
    try:
        _spark().parser(error_level=ErrorLevel.RAISE).parse(tokens, text)
    except SqlglotParseError as error:
        for first in error.errors:
            if not _is_count(first, tokens, found):
                counts = [CompileError(f"{what} {one.what}", locate(*one.span), one.fix) for one in found]
                raise ErrorList([*counts, _unreadable(first, tokens, what, locate)]) from None
    return _spark().parser(error_level=ErrorLevel.IGNORE).parse(tokens, text), found


def _as_sqlglot_reads(tokens: list[Token]) -> list[Token]:
    """Return the tokens with what Spark reads and sqlglot does not: `X '1F'` with a space, and `>>>`."""
    texts = [token.text for token in tokens]
    if "x" not in texts and "X" not in texts and texts.count(">") < len(">>>"):
        return tokens
    read: list[Token] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        kind = token.token_type
        if before is not None and kind is TokenType.STRING and before.text in ("x", "X") and _is_word(before):
            read[-1] = Token(TokenType.HEX_STRING, token.text, token.line, token.col, before.start, token.end)
        elif kind is TokenType.GT and [_kind(tokens, at - 1), _kind(tokens, at - 2)] == [kind, kind]:
            # Its type is that of `>>`.
            continue
        else:
            read.append(token)
    return read


def _is_word(token: Token) -> bool:
    return token.token_type is TokenType.VAR


def _kind(tokens: Sequence[Token], at: int) -> TokenType | None:
    return tokens[at].token_type if at >= 0 else None


def _is_count(said: Mapping[str, Any], tokens: Sequence[Token], found: list[Problem]) -> bool:
    """Return whether sqlglot counts the arguments of a function that Spark has; a wrong number goes to `found`."""
    end = _at(said, tokens)
    is_counted = str(said.get("description") or "").startswith(_COUNTED)
    if not is_counted or end is None or tokens[end].token_type is not TokenType.R_PAREN:
        return False
    depth, name = 0, -1
    for at in range(end, -1, -1):
        kind = tokens[at].token_type
        depth += (kind is TokenType.R_PAREN) - (kind is TokenType.L_PAREN)
        if depth == 0:
            name = at - 1
            break
    count = Spans(tokens).count_behind(name) if name >= 0 else None
    called = tokens[name].text.lower()
    if count is None or called not in spark_table().functions:
        return False
    wrong = wrong_count(called, count)
    if wrong is not None:
        found.append(Problem(wrong[0], (tokens[name].start, tokens[end].end + 1), wrong[1]))
    return True


def _miscounted(tokens: Sequence[Token], what: str, locate: Locate) -> SqlmlError:
    """Return the error for text on which sqlglot fails: the calls that may be why."""
    found: list[SqlmlError] = []
    spans = Spans(tokens)
    for at, token in enumerate(tokens):
        count = spans.count_behind(at) if token.token_type not in _WORDS else None
        wrong = None if count is None else wrong_count(token.text.lower(), count)
        if wrong is not None:
            found.append(CompileError(f"{what} {wrong[0]}", locate(*spans.call(at)), wrong[1]))
    return ErrorList(found or [CompileError(f"{what} cannot be read", locate(0), "look for a call without arguments")])


def _at(said: Mapping[str, Any], tokens: Sequence[Token]) -> int | None:
    """Return the index of the token at which sqlglot says something."""
    place = said.get("line"), said.get("col")
    return next((at for at, token in enumerate(tokens) if (token.line, token.col) == place), None)


def _unclosed(text: str) -> int:
    """Return the offset of the quote or comment that opens the last, unclosed token."""
    starts = [at for at, char in enumerate(text) if char in "'\"`" or text.startswith("/*", at)]
    for at in reversed(starts):
        try:
            _spark().tokenize(text[:at])
        except TokenError:
            continue
        return at
    return 0


def _check_commas(tokens: Sequence[Token], what: str, locate: Locate) -> None:
    kinds = [token.token_type for token in tokens]
    for at, kind in enumerate(kinds):
        if kind is TokenType.COMMA and (at + 1 == len(kinds) or kinds[at + 1] in _NO_ITEM):
            raise CompileError(
                f"{what} cannot be read: nothing follows a comma", locate(*_place(tokens[at])), "remove the comma"
            )


def _unreadable(said: Mapping[str, Any], tokens: Sequence[Token], what: str, locate: Locate) -> CompileError:
    # A description may end with the token as Python prints it, which says nothing to a user.
    reason = str(said.get("description") or "it is no SQL").partition(" but got <")[0].rstrip(".")
    if reason.startswith("Required"):
        reason = "something is missing"
    fix = next((fix for word, fix in _FIXES.items() if reason.lower().startswith(word)), _FIXES["invalid"])
    reason = "unexpected" if reason.startswith("Invalid expression") else reason[:1].lower() + reason[1:]
    at = _at(said, tokens)
    near = "" if at is None else f" near '{tokens[at].text}'"
    place = locate(0) if at is None else locate(*_place(tokens[at]))
    return CompileError(f"{what} cannot be read{near}: {reason}", place, fix)


def _place(token: Token) -> tuple[int, int]:
    return token.start, token.end + 1


def take_apart(tree: exp.Expr) -> None:
    """Cut a tree into its nodes: they know their parents, and whole would be freed by a search for garbage only."""
    for node in list(tree.walk()):
        node.args = {}
        node.parent = None
