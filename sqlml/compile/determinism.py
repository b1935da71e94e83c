"""Finds what makes SQL answer differently on the same data: a statement in, the functions and their places out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from sqlml.compile.sql import Statement

# Called with parentheses …
_FUNCTIONS = frozenset(
    {
        "current_date", "current_time", "current_timestamp", "curdate", "localtime", "localtimestamp", "now", "rand",
        "randn", "random", "randstr", "shuffle", "uniform", "uuid", "monotonically_increasing_id",
        "spark_partition_id", "input_file_name", "current_user", "session_user",
    }
)  # fmt: skip
# … and those that are also functions without, unless a column has the name.
_BARE = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
_SAMPLE = "tablesample"
# Without arguments only.
_NOW = frozenset({"unix_timestamp"})


def find_unstable(statement: Statement) -> Iterator[Token]:
    """Yield the tokens that name functions whose value changes between two builds, and TABLESAMPLE without a seed."""
    text = statement.text.lower()
    if not any(name in text for name in _FUNCTIONS | _NOW | {_SAMPLE}):
        return
    tokens = statement.tokens
    for at, token in enumerate(tokens):
        name = token.text.lower()
        if name == _SAMPLE and _is_random(tokens[at + 1 :]):
            yield token
        if name not in _FUNCTIONS and name not in _NOW:
            continue
        if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
            continue
        following = [later.token_type for later in tokens[at + 1 : at + 3]]
        is_call = following[:1] == [TokenType.L_PAREN]
        is_empty = following == [TokenType.L_PAREN, TokenType.R_PAREN]
        is_name = at > 0 and tokens[at - 1].token_type in (TokenType.DOT, TokenType.ALIAS)
        if (is_empty if name in _NOW else is_call) or (name in _BARE and not is_call and not is_name):
            yield token


def _is_random(following: Sequence[Token]) -> bool:
    """Return whether `following` begins with parentheses behind which no `REPEATABLE` stands."""
    depth = 0
    for at, token in enumerate(following):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0:
            return at > 0 and [later.text.lower() for later in following[at + 1 : at + 2]] != ["repeatable"]
    return False
