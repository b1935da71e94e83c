"""The words of SQL, as far as they count: tokens in, a digest out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlglot.tokenizer_core import Token, TokenType

from sqlml.compile.fingerprints import SCHEME

_CASE_COUNTS = frozenset(
    {
        TokenType.STRING, TokenType.RAW_STRING, TokenType.NATIONAL_STRING, TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING, TokenType.HEX_STRING, TokenType.BIT_STRING, TokenType.UNICODE_STRING,
        TokenType.NUMBER, TokenType.HINT,
    }
)  # fmt: skip


_NAMES = {kind: kind.name for kind in TokenType}


def digest_tokens(tokens: Iterable[Token | None]) -> str:
    """Return the hex digest of SQL: comments, layout and the case of words do not count; None is a mark of its own."""
    words = []
    for token in tokens:
        if token is None:
            words.append("\x02")
        else:
            kind = token.token_type
            words.append(f"{_NAMES[kind]}\x00{token.text if kind in _CASE_COUNTS else token.text.lower()}")
    return hashlib.blake2b(f"{SCHEME}:{chr(1).join(words)}".encode(), digest_size=16).hexdigest()
