"""Reads SQL text: a rendered statement in, its tokens and syntax tree out; what cannot be read is a placed error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from sqlglot import exp
from sqlglot.dialects.databricks import Databricks
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ErrorLevel, TokenError
from sqlglot.errors import ParseError as SqlglotParseError
from sqlglot.tokenizer_core import Token, TokenType

from sqlml.compile.checks.counts import wrong_count
from sqlml.compile.checks.spark_table import spark_table
from sqlml.compile.spans import Spans
from sqlml.errors import CompileError
from sqlml.ir.location import SourceLocation


class Locate(Protocol):
    """Gives the place in the user's file of a stretch of SQL text."""

    def __call__(self, start: int, end: int | None = None, /) -> SourceLocation:
        """Return where the characters from `start` to `end` (excluded) came from; None: it is not known how many."""


# How sqlglot's complaints about the number of a function's arguments begin.
_COUNTED = ("Required", "The number of provided arguments")
# After a comma these can only mean that something is missing; sqlglot reads over it, Spark does not.
_NO_ITEM = (TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT-like statement.

    Attributes:
        text: without trailing semicolons.
        tokens: without trailing semicolons; comments are no tokens.
    """

    text: str
    tokens: tuple[Token, ...]
    tree: exp.Expr


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
    try:
        trees = _parse(tokens, text, what, locate)
    except SqlglotParseError as error:
        raise _unreadable(error, tokens, what, locate) from None
    except RecursionError:
        raise CompileError(
            f"{what} is nested too deeply to be read", locate(0), "split it into several SQL models"
        ) from None
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
    return Statement(text, tuple(tokens), tree)


def tokenize(text: str, what: str, locate: Locate) -> list[Token]:
    """Return the tokens of `text`; see `parse_statement` for the arguments.

    Raises:
        CompileError: a quote or a comment is never closed.
    """
    try:
        tokens = list(Spark().tokenize(text))
    except TokenError:
        offset = _unclosed(text)
        shown = text[offset : offset + 2] if text.startswith("/*", offset) else text[offset : offset + 1]
        raise CompileError(
            f"{what} cannot be read: {shown} is never closed", locate(offset, offset + len(shown)), f"close the {shown}"
        ) from None
    for token, following in pairwise(tokens):
        # `window` is also a function, which sqlglot does not know after GROUP BY.
        if token.token_type is TokenType.WINDOW and following.token_type is TokenType.L_PAREN:
            token.token_type = TokenType.VAR
    return tokens


def _parse(tokens: list[Token], text: str, what: str, locate: Locate) -> list[exp.Expr | None]:
    tokens = _as_sqlglot_reads(tokens)
    try:
        return Spark().parser().parse(tokens, text)
    except SqlglotParseError as error:
        if any(token.token_type is TokenType.COLON for token in tokens):
            with suppress(SqlglotParseError):
                # Paths into a variant, as in `v:a.b[0]`: sqlglot has them in its dialect for Databricks alone.
                return Databricks().parser().parse(tokens, text)
        first = error.errors[0] if error.errors else {}
        is_counted = str(first.get("description") or "").startswith(_COUNTED)
        if not is_counted or not _is_counted_by_spark(first, tokens, what, locate):
            raise
        # sqlglot counts by other dialects' functions: Spark takes that many.
        lenient = Spark().parser(error_level=ErrorLevel.IGNORE)
        trees = lenient.parse(tokens, text)
        if lenient.errors:
            raise lenient.errors[0] from None
        return trees


def _as_sqlglot_reads(tokens: list[Token]) -> list[Token]:
    """Return the tokens with what Spark reads and sqlglot does not: `X '1F'` with a space, and `>>>`."""
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


def _is_counted_by_spark(first: Mapping[str, Any], tokens: Sequence[Token], what: str, locate: Locate) -> bool:
    """Return whether the call that ends at the place of sqlglot's error is right to Spark; raise if it is wrong."""
    end = next((at for at, token in enumerate(tokens) if (token.line, token.col) == (first["line"], first["col"])), 0)
    if tokens[end].token_type is not TokenType.R_PAREN:
        return False
    depth, name = 0, -1
    for at in range(end, -1, -1):
        kind = tokens[at].token_type
        depth += (kind is TokenType.R_PAREN) - (kind is TokenType.L_PAREN)
        if depth == 0:
            name = at - 1
            break
    count = Spans(tokens).count_behind(name) if name >= 0 else None
    wrong = None if count is None else wrong_count(tokens[name].text.lower(), count)
    if wrong is not None:
        raise CompileError(f"{what} {wrong[0]}", locate(tokens[name].start, tokens[end].end + 1), wrong[1])
    return count is not None and tokens[name].text.lower() in spark_table().functions


def _unclosed(text: str) -> int:
    """Return the offset of the quote or comment that opens the last, unclosed token."""
    starts = [at for at, char in enumerate(text) if char in "'\"`" or text.startswith("/*", at)]
    for at in reversed(starts):
        try:
            Spark().tokenize(text[:at])
        except TokenError:
            continue
        return at
    return 0


def _check_commas(tokens: Sequence[Token], what: str, locate: Locate) -> None:
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.token_type is TokenType.COMMA and (following is None or following.token_type in _NO_ITEM):
            raise CompileError(
                f"{what} cannot be read: nothing follows a comma", locate(*_place(token)), "remove the comma"
            )


def _unreadable(error: SqlglotParseError, tokens: Sequence[Token], what: str, locate: Locate) -> CompileError:
    first = error.errors[0] if error.errors else {}
    # A description may end with the token as Python prints it, which says nothing to a user.
    reason = str(first.get("description") or "it is no SQL").partition(" but got <")[0].rstrip(".")
    if reason.startswith("Required"):
        reason = "something is missing"
    reason = "unexpected" if reason.startswith("Invalid expression") else reason[:1].lower() + reason[1:]
    at = [token for token in tokens if (token.line, token.col) == (first.get("line"), first.get("col"))]
    near = f" near '{at[0].text}'" if at else ""
    return CompileError(f"{what} cannot be read{near}: {reason}", locate(*_place(at[0])) if at else locate(0))


def _place(token: Token) -> tuple[int, int]:
    return token.start, token.end + 1


def take_apart(tree: exp.Expr) -> None:
    """Cut a tree into its nodes: they know their parents, and whole would be freed by a search for garbage only."""
    for node in list(tree.walk()):
        node.args = {}
        node.parent = None
