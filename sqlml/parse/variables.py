"""Reads `--vars`: YAML text in, a mapping of variables out."""

from __future__ import annotations

from typing import Any

from sqlml.errors import CommandError, ParseError, SqlmlError

_NONE = "{}"
_FIX = "write --vars '{name: value}'"


def parse_variables(text: str) -> dict[str, Any]:
    """Return the variables in `text`, such as `{last_week: 2013-12-25}`; values have the types of the project file's.

    Raises:
        CommandError: it is not a YAML mapping with names as keys.
    """
    if text == _NONE:
        return {}
    # YAML takes its time to load, and most commands are given no variables.
    from sqlml.parse.yaml_files import Reader, compose

    errors: list[SqlmlError] = []
    try:
        node = compose("--vars", text)
        reader = Reader("--vars", lambda value, _: value, errors)
        variables = {} if node is None else reader.entry(node).value
    except ParseError as error:
        errors.append(error)
    if errors:
        raise CommandError(f"--vars cannot be read: {errors[0].what}", fix=_FIX)
    if not isinstance(variables, dict):
        raise CommandError("--vars is not a mapping of names to values", fix=_FIX)
    return variables
