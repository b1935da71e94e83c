"""What was learnt from some rows, for several ways to make features of them: each thing is learnt once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlml.ir.chains import Applied

T = TypeVar("T")

_MOST_WAYS = 32
"""What none of so many ways in a row has asked for is forgotten: vocabularies and vectors of words may be large."""


@dataclass(slots=True)
class _Once:
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: tuple[Any, ...] = ()
    way: int = 0


class Learnt:
    """Keeps what stages learnt from one set of rows; may be asked from any thread.

    Args:
        tuned: positions in `transforms:` with the word that is said otherwise from one way to the next, or `params`.
            What is said there gets stages of its own, so that those of all other features stay what they were.

    Attributes:
        count: how often something was learnt.
    """

    def __init__(self, tuned: Collection[tuple[int, str]] = ()) -> None:
        self._tuned = frozenset(tuned)
        self._lock = threading.Lock()
        self._known: dict[str, _Once] = {}
        self._way = 0
        self.count = 0

    def begin_way(self) -> None:
        """Count another way to make features, and forget what the last ones did not ask for."""
        with self._lock:
            self._way += 1
            self._known = {key: once for key, once in self._known.items() if self._way - once.way <= _MOST_WAYS}

    def once(self, key: str, learn: Callable[[], T]) -> T:
        """Return what `learn` returns, called at the first time that `key` is asked for, or asked for again late."""
        with self._lock:
            once = self._known.setdefault(key, _Once())
            once.way = self._way
        with once.lock:
            if not once.found:
                once.found = (learn(),)
                with self._lock:
                    self.count += 1
            found: T = once.found[0]
            return found

    def place_of(self, applied: Applied) -> int | None:
        """Return the entry that says a word if it is tuned there; None: it is shared with whoever says the same."""
        said = {(applied.position, applied.word.key), (applied.position, "params")}
        return applied.position if said & self._tuned else None


def digest(*said: Any) -> str:
    """Return a short text that is another for anything else said."""
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


def describe_stage(stage: Any, origins: Mapping[str, str]) -> str:
    """Return the digest of what a stage does: its class, its params, and where the columns that it reads come from.

    Args:
        origins: columns that were made to the digests of how.
    """
    from pyspark.ml import Model

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(item) for item in value]
        return origins.get(value, value) if isinstance(value, str) else value

    given = sorted((param.name, resolve(stage.getOrDefault(param))) for param in stage.params if stage.isSet(param))
    # What a fitted stage holds does not stand in its params: it is like no other.
    return digest(type(stage).__name__, stage.uid if isinstance(stage, Model) else "", given)


def outputs_of(stage: Any) -> list[str]:
    """Return the columns that a stage adds."""
    # What is set: by default the one that is not meant is called after the stage.
    names = [name for name in ("outputCol", "outputCols") if stage.hasParam(name) and stage.isSet(name)]
    named = [stage.getOrDefault(name) for name in names]
    return [column for value in named for column in (value if isinstance(value, list) else [value])]
