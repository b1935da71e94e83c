"""What earlier runs found out: how a phase asks for the result of a pure function by its inputs, and keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Cache(Protocol):
    """Keeps results by kind and key. What it gives is equal to what was put; it may forget anything at any time."""

    @property
    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Kind to how many values were asked for, and how many of them were there."""
        ...

    def get(self, kind: str, key: str, shape: type[T], is_current: Callable[[T], bool] | None = None) -> T | None:
        """Return what was put under `key`, a dataclass of type `shape`; None if nothing is kept.

        Args:
            kind: in a user's words, in the plural (`templates`).
            key: a digest of what decides the value, but for the code that computes it.
            is_current: whether the rest of what decides the value is as it was.
        """
        ...

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep `value`, a dataclass of plain data without secrets; one that cannot be kept whole is not kept."""
        ...

    def save(self) -> None:
        """Write what is new."""
        ...


class NoCache:
    """Forgets everything."""

    counts: Mapping[str, tuple[int, int]] = MappingProxyType({})

    def get(self, kind: str, key: str, shape: type[T], is_current: Callable[[T], bool] | None = None) -> T | None:
        """Return None."""

    def put(self, kind: str, key: str, value: object) -> None:
        """Do nothing."""

    def save(self) -> None:
        """Do nothing."""


class Watched(Mapping[str, Any]):
    """A mapping that notes which of its names are looked up, found or not.

    Attributes:
        names: in the order of their first look-up.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.names: dict[str, None] = {}

    def __getitem__(self, name: str) -> Any:
        self.names[name] = None
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        self.names[str(name)] = None
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def read(self) -> dict[str, str]:
        """Return each name with the digest of its value."""
        return {name: digest_value(self._values, name) for name in self.names}


def digest_value(values: Mapping[str, Any], name: str) -> str:
    """Return a digest of `values[name]`, empty if there is none."""
    return key_of(dump(values[name])) if name in values else ""


def are_unchanged(read: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    """Return whether all that `Watched.read` gave is so still."""
    return all(digest == digest_value(values, name) for name, digest in read.items())


def dump(value: Any) -> str:
    """Return plain data as text that differs where the data do."""
    return json.dumps(value, default=repr, ensure_ascii=False)


def key_of(*parts: str) -> str:
    """Return a digest of `parts` and of where each of them ends."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
