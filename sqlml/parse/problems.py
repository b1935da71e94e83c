"""What does not fit a spec: pydantic's complaints in, sqlml's errors with file, line and a fix out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.parse.later import LATER_KEYS, LATER_MAPPINGS, LATER_VALUES
from sqlml.parse.subject import Subject
from sqlml.parse.value_types import describe

S = TypeVar("S", bound=BaseModel)
Loc = tuple[int | str, ...]

_CONFIG_KEYS = frozenset({"materialized", "tags", "enabled"})
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "greater_than": "a whole number above 0",
}
_SHAPE_FIX = {
    "list_type": "write [a, b], or one item a line after a dash",
    "dict_type": "write {key: value}, or one 'key: value' a line, indented",
    "model_type": "write {key: value}, or one 'key: value' a line, indented",
}


def validate(spec: type[S], value: Any, subject: Subject, errors: list[SqlmlError]) -> S | None:
    """Return `value` as a `spec`; if it does not fit, add every reason to `errors` and return None."""
    try:
        return spec.model_validate(value)
    except ValidationError as failure:
        errors.extend(_explain(spec, detail, subject) for detail in failure.errors(include_url=False))
        return None


def not_yet(subject: Subject, path: str, shown: str, what: str, parents: Sequence[str] = ()) -> ParseError:
    """Return the error for a part of the grammar that comes later."""
    return subject.error(path, f"'{shown}' is not supported yet{_inside(parents)}", f"remove it ({what})")


def _explain(spec: type[BaseModel], detail: ErrorDetails, subject: Subject) -> ParseError:
    loc, kind, value = detail["loc"], detail["type"], detail["input"]
    names = [part for part in loc if isinstance(part, str)]
    path = ".".join(str(part) for part in loc)
    grammar = ".".join([subject.area, *names])
    shown = f"an item of '{names[-1]}'" if names and isinstance(loc[-1], int) else f"'{names[-1]}'" if names else "it"
    inside = _inside(names[:-1])
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(spec, loc, subject)
    if kind == "missing":
        return subject.error(path, f"key {shown} is missing{inside}", f"add '{names[-1]}:'")
    if isinstance(value, dict) and grammar in LATER_MAPPINGS:
        keys = ", ".join(f"{key}: …" for key in value)
        return not_yet(subject, path, f"{names[-1]}: {{{keys}}}", LATER_MAPPINGS[grammar], names[:-1])
    if kind == "refused":
        return subject.value_error(path, f"{shown} {context['what']}{inside}", context["fix"])
    if kind == "literal_error":
        return _wrong_value(subject, loc, value, context["expected"])
    if value is None:
        what = f"{shown} has no value{inside}"
        return subject.error(path, what, f"write {_EXPECTED.get(kind, 'one')}, or remove it")
    what = f"{shown} must be {_EXPECTED.get(kind, detail['msg'])}, not {describe(value)}{inside}"
    return subject.value_error(path, what, _SHAPE_FIX.get(kind) or _fix_scalar(kind, value))


def _fix_scalar(kind: str, value: Any) -> str | None:
    if kind == "string_type" and isinstance(value, bool):
        return "put it in quotes if it is a text: YAML reads yes, no, on and off as true and false"
    if kind == "string_type" and isinstance(value, int | float):
        return f'put it in quotes: "{value}"'
    if kind == "greater_than":
        return "write 1 or more"
    if kind == "bool_type":
        return "write true or false, without quotes"
    if kind.startswith(("int", "float")) and isinstance(value, str):
        return "write a number, without quotes"
    return f"write {_EXPECTED[kind]}" if kind in _EXPECTED else None


def _inside(names: Sequence[str]) -> str:
    return f" (in '{'.'.join(names)}')" if names else ""


def _wrong_value(subject: Subject, loc: Loc, value: Any, expected: str) -> ParseError:
    names = [part for part in loc if isinstance(part, str)]
    path = ".".join(str(part) for part in loc)
    later = LATER_VALUES.get(".".join([subject.area, *names]), {})
    allowed = re.findall(r"'([^']*)'", expected) or [expected]
    if isinstance(value, str) and value in later:
        what = f"'{names[-1]}: {value}' is not supported yet{_inside(names[:-1])}"
        return subject.value_error(path, what, f"it is one of: {', '.join(allowed)} ({later[value]} will follow)")
    shown = f"'{value}'" if isinstance(value, str) else describe(value)
    what = f"'{names[-1]}' cannot be {shown}{_inside(names[:-1])}"
    return subject.value_error(
        path, what, suggest(str(value), allowed, "it is one of" if len(allowed) > 1 else "it is")
    )


def _unknown_key(spec: type[BaseModel], loc: Loc, subject: Subject) -> ParseError:
    names = [part for part in loc if isinstance(part, str)]
    path = ".".join(str(part) for part in loc)
    key = names[-1]
    later = LATER_KEYS.get(".".join([subject.area, *names]))
    if later is not None:
        return not_yet(subject, path, f"{key}:", later, names[:-1])
    known = _known_keys(spec, names[:-1])
    fix = (
        "write it under 'config:'" if key in _CONFIG_KEYS and "config" in known else suggest(key, known, "the keys are")
    )
    return subject.error(path, f"unknown key '{key}'{_inside(names[:-1])}", fix)


def _known_keys(spec: type[BaseModel], names: Sequence[str]) -> list[str]:
    for name in names:
        for field_name, field in spec.model_fields.items():
            if name == (field.alias or field_name):
                spec = next(_specs_in(field.annotation), spec)
    return [field.alias or field_name for field_name, field in spec.model_fields.items()]


def _specs_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _specs_in(argument)
