"""Dataclasses and their parts <-> JSON text without loss, also of NaN, infinities, dates and keys of any type."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from sqlml.errors import StateError


def dumps(value: Any, indent: int | None = None) -> str:
    """Return `value` as standard JSON (also readable by programs that know no NaN).

    Tuples and sets become lists; numpy's numbers and arrays become Python's. What JSON lacks is an object with one
    key that begins with `$`: `{"$float": "nan"}`, `{"$date": …}`, `{"$datetime": …}`, `{"$decimal": …}`, and
    `{"$map": [[key, value], …]}` where keys are no strings.

    Raises:
        TypeError: for a value of any other type.
    """
    return json.dumps(_encode(value), allow_nan=False, indent=indent)


def loads(text: str) -> Any:
    """Return what `dumps` was given, dataclasses as dicts and tuples as lists.

    Raises:
        StateError: if `text` is no JSON.
    """
    try:
        return _untag(json.loads(text))
    except (ValueError, ArithmeticError) as error:
        raise StateError(
            f"the state has an entry that cannot be read: {error}",
            fix="it was changed by another program: move the state file away and build again",
        ) from error


def restore(hint: Any, value: Any) -> Any:
    """Return `value`, as `loads` gives it, in the type that `hint` names: dataclasses and tuples as they were.

    Keys that the dataclass does not have are left out, and fields that `value` lacks get their defaults.
    """
    if dataclasses.is_dataclass(hint):
        hints = field_types(typing.cast(Any, hint))
        fields = {field.name: hints[field.name] for field in dataclasses.fields(hint) if field.name in value}
        return typing.cast(Any, hint)(**{name: restore(inner, value[name]) for name, inner in fields.items()})
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(restore(arguments[0], entry) for entry in value)
        return tuple(restore(inner, entry) for inner, entry in zip(arguments, value, strict=True))
    if origin in (typing.Union, types.UnionType):
        chosen = _choice(arguments, value)
        return value if chosen is None else restore(chosen, value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: restore(arguments[1], entry) for key, entry in value.items()}
    return value


def _choice(hints: tuple[Any, ...], value: Any) -> Any:
    """Return which of several types a value that JSON changed was of; None: it is as it was."""
    inner = [hint for hint in hints if hint is not type(None)]
    if value is None or len(inner) == 1:
        return inner[0] if value is not None else None
    if isinstance(value, list):
        return next((hint for hint in inner if typing.get_origin(hint) is tuple), None)
    return next((hint for hint in inner if isinstance(value, dict) and dataclasses.is_dataclass(hint)), None)


@functools.cache
def field_types(kind: Any) -> Mapping[str, Any]:
    """Return the fields of a dataclass with their types; kept, because annotations are text that must be evaluated."""
    return typing.get_type_hints(kind)


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    # Members of enumerations are stored as what they stand for.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if dataclasses.is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {str(key): _encode(entry) for key, entry in value.items()}
        return {"$map": [[_encode(key), _encode(entry)] for key, entry in value.items()]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_encode(entry) for entry in (sorted(value, key=repr) if isinstance(value, set | frozenset) else value)]
    return _encode_rare(value)


def _encode_rare(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"$date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, PurePath):
        return str(value)
    # numpy's scalars and arrays, without importing numpy.
    if hasattr(value, "tolist"):
        return _encode(value.tolist())
    raise TypeError(f"a {type(value).__name__} cannot be kept as JSON")


def _untag(value: Any) -> Any:
    if isinstance(value, list):
        return [_untag(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        tag, inner = next(iter(value.items()))
        match tag:
            case "$float":
                return float(inner)
            case "$date":
                return datetime.date.fromisoformat(inner)
            case "$datetime":
                return datetime.datetime.fromisoformat(inner)
            case "$decimal":
                return Decimal(inner)
            case "$map":
                return {_untag(key): _untag(entry) for key, entry in inner}
    return {key: _untag(entry) for key, entry in value.items()}
