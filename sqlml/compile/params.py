"""Checks params against Spark ML's own: a class name and values from YAML in, errors with near matches out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.location import Places


@cache
def param_types(stage: str) -> Mapping[str, str]:
    """Return the params of a Spark ML class with the types they take; empty for a class that Spark ML does not have."""
    text = resources.files("sqlml.ir").joinpath("spark_params.json").read_text(encoding="utf-8")
    types: dict[str, dict[str, str]] = json.loads(text)
    return types.get(stage, {})


def check_params(stages: Sequence[str], params: Mapping[str, Any], places: Places, key: str) -> Iterator[SqlmlError]:
    """Yield an error for each param that none of the classes `stages` has, or that takes another type.

    Args:
        key: path of the params in the entry (`params`), for places.
    """
    title = f"'{stages[0]}' has no" if len(stages) == 1 else "no stage of this transform has a"
    types = {name: kind for stage in stages for name, kind in param_types(stage).items()}
    # Columns are named by their roles.
    usable = {name for name in types if not name.endswith(("Col", "Cols"))}
    for name, value in params.items():
        place = places.of(f"{key}.{name}")
        if name not in usable:
            yield CompileError(f"{title} param '{name}'", place, suggest(name, usable, "there are"))
        elif types[name] == "matrix":
            yield CompileError(f"param '{name}' takes a matrix, which is not supported yet", place)
        elif not _fits(value, types[name]):
            yield CompileError(f"param '{name}' takes {_WORDS.get(types[name])}, not {_shown(value)}", place)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(fits(entry) for entry in value)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "int": _is_whole,
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list | tuple),
    "list of int": _is_list_of(_is_whole),
    "list of float": _is_list_of(_is_number),
    "list of string": _is_list_of(lambda value: isinstance(value, str)),
    "list of list of float": _is_list_of(_is_list_of(_is_number)),
    "vector": _is_list_of(_is_number),
    "any": lambda value: True,
}
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "boolean": "true or false",
    "string": "text",
    "list": "a list",
    "list of int": "a list of whole numbers",
    "list of float": "a list of numbers",
    "list of string": "a list of texts",
    "list of list of float": "a list of lists of numbers",
    "vector": "a list of numbers",
}


def _fits(value: Any, kind: str) -> bool:
    try:
        return _FITS[kind](value)
    except OverflowError:  # an infinite number is no whole one
        return False


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else repr(value)
