"""Pipelines (`from t |> where …`) that sqlglot reads otherwise than Spark: tokens in, whether there is one out.

Before: `select name from t |> extend 1 as one`.
After:  True; sqlglot would make `select *, 1 as one from t` of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

_OPENS = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSES = (TokenType.R_PAREN, TokenType.R_BRACKET)


def has_pipe(tokens: Sequence[Token]) -> bool:
    """Return whether there is any pipeline."""
    return any(token.token_type is TokenType.PIPE_GT for token in tokens)


def is_misread(tokens: Sequence[Token]) -> bool:
    """Return whether a pipeline begins with anything but FROM: sqlglot forgets what comes before its first step."""
    first: list[TokenType | None] = [None]
    for token in tokens:
        kind = token.token_type
        if kind is TokenType.PIPE_GT and first[-1] is not TokenType.FROM:
            return True
        if first[-1] is None:
            first[-1] = kind
        if kind in _OPENS:
            first.append(None)
        elif kind in _CLOSES and len(first) > 1:
            first.pop()
    return False
