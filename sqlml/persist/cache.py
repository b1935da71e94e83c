"""Results of pure functions on disk: values go in by kind and key, and come out of the next run's files.

There is one file for each kind, read whole and written whole: a line with the format's version, one with the identity
of the code that wrote it, a checksum, and MessagePack. A file that is damaged, or that other code wrote, counts as
empty; what is read is data of known types, and nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from sqlml.persist.code_identity import identify_code

T = TypeVar("T")

_FORMAT: Final = b"sqlml cache 1\n"
_CHECKSUM_BYTES: Final = 16
# What a run did not use may be of another branch or target, and is kept within this or as much as was used.
_SPARE_BYTES: Final = 8_000_000
_UNFIT: Final = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)


class FileCache:
    """Fulfils `sqlml.ir.cache.Cache` with the files of a folder.

    Two processes may use a folder at once: each reads and writes whole files, and the last one to write stays. A folder
    that cannot be read or written costs time and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelves: dict[str, _Shelf] = {}
        self._head = b""

    def get(self, kind: str, key: str, shape: type[T], is_current: Callable[[T], bool] | None = None) -> T | None:
        """Return what was put under `key`; None if nothing is kept, or if it is not current."""
        return self._shelf(kind).get(key, shape, is_current)

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep `value`, if it comes back as it is."""
        self._shelf(kind).put(key, value)

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Kind to how many values were asked for, and how many of them were there."""
        return {kind: (shelf.asked, shelf.found) for kind, shelf in self._shelves.items()}

    def save(self) -> None:
        """Write what is new; what was not used for long is dropped."""
        for kind, shelf in self._shelves.items():
            if shelf.is_changed:
                shelf.is_changed = False
                with suppress(OSError):
                    self._write(kind, shelf)

    def _shelf(self, kind: str) -> _Shelf:
        shelf = self._shelves.get(kind)
        if shelf is None:
            shelf = self._shelves[kind] = _Shelf(self._read(kind))
        return shelf

    def _path(self, kind: str) -> Path:
        return self._folder / f"{kind.replace(' ', '_')}.cache"

    def _read(self, kind: str) -> dict[str, msgspec.Raw]:
        # Not at the start: a command that asks for nothing need not look at the code.
        self._head = self._head or _FORMAT + identify_code().encode() + b"\n"
        try:
            content = self._path(kind).read_bytes()
        except OSError:
            return {}
        at = len(self._head)
        payload = memoryview(content)[at + _CHECKSUM_BYTES :]
        if content[:at] != self._head or content[at : at + _CHECKSUM_BYTES] != _checksum(payload):
            return {}
        try:
            return msgspec.msgpack.decode(payload, type=dict[str, msgspec.Raw])
        except msgspec.MsgspecError:
            return {}

    def _write(self, kind: str, shelf: _Shelf) -> None:
        payload = msgspec.msgpack.encode(dict(shelf.kept(self._read(kind))))
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(kind)
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            draft.write_bytes(self._head + _checksum(payload) + payload)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


class _Shelf:
    """The entries of one kind, those that were used longest ago last."""

    def __init__(self, entries: Mapping[str, msgspec.Raw]) -> None:
        self._entries = entries
        self._used: dict[str, msgspec.Raw | bytes] = {}
        self._decoders: dict[type[Any], msgspec.msgpack.Decoder[Any]] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self.is_changed = False
        self.asked = self.found = 0

    def get(self, key: str, shape: type[T], is_current: Callable[[T], bool] | None) -> T | None:
        self.asked += 1
        raw = self._used.get(key) or self._entries.get(key)
        if raw is None:
            return None
        try:
            value: T = self._decoder(shape).decode(raw)
        except _UNFIT:
            return None
        if is_current is not None and not is_current(value):
            return None
        self.found += 1
        self._used[key] = raw
        return value

    def put(self, key: str, value: object) -> None:
        try:
            raw = self._encoder.encode(value)
            restored = self._decoder(type(value)).decode(raw)
            # Equal is not enough: 1 is equal to 1.0, which takes more bytes.
            if restored != value or len(self._encoder.encode(restored)) != len(raw):
                return
        except _UNFIT:
            return
        self._used[key] = raw
        self.is_changed = True

    def kept(self, others: Mapping[str, msgspec.Raw]) -> Iterator[tuple[str, msgspec.Raw]]:
        """Yield what is to be written: what was used, then the rest, `others` wrote included, while there is room."""
        used = 0
        for key, raw in self._used.items():
            used += len(memoryview(raw))
            yield key, msgspec.Raw(raw)
        spare = max(used, _SPARE_BYTES)
        for key, raw in {**self._entries, **others}.items():
            if key not in self._used:
                spare -= len(memoryview(raw))
                if spare < 0:
                    return
                yield key, raw

    def _decoder(self, shape: type[Any]) -> msgspec.msgpack.Decoder[Any]:
        decoder = self._decoders.get(shape)
        if decoder is None:
            decoder = self._decoders[shape] = msgspec.msgpack.Decoder(shape)
        return decoder


def _checksum(payload: bytes | memoryview) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_BYTES).digest()
