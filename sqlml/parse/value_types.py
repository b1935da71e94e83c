"""The kinds of values that specs are made of: what YAML gave in, a checked and normalised value out."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from sqlml.errors import suggest
from sqlml.ir.diagnostics import LEVELS, RULES, SETTABLE
from sqlml.parse.identifiers import IDENTIFIER, identifier_fix

_DURATION = re.compile(r"(\d+)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_QUOTED = r"""\s*(?:'[^'"]+'|"[^'"]+")\s*"""
_REFERENCE = re.compile(rf"ref\s*\({_QUOTED}\)|source\s*\({_QUOTED},{_QUOTED}\)")
_PERIOD = re.compile(r"([1-9]\d*)\s*(h|d|w|(?:hour|day|week|month|quarter|year)s?)")
_PERIOD_UNITS = {"h": "HOUR", "d": "DAY", "w": "WEEK"}
_PERIOD_FIX = "write a number and hours, days, weeks, months, quarters or years, such as 1 month or 7d"
_DURATION_FIX = "write a number and s, m, h, d or w, such as 30m, 12h or 7d"
_REFERENCE_FIX = "write ref('name') or source('source_name', 'table')"
_MEMORY = re.compile(r"[1-9]\d*[kmgt]b?", re.IGNORECASE)


def refuse(what: str, fix: str) -> PydanticCustomError:
    """Return the error for a value; `what` follows the key's name, as in "'gap' must be …".

    Both are passed as data and not as the template, because they may hold braces.
    """
    return PydanticCustomError("refused", "{what}", {"what": what, "fix": fix})


def listed(value: Any) -> Any:
    """Return one text as a list of it; anything else as it is."""
    return [value] if isinstance(value, str) else value


def _no_empty(values: list[str]) -> list[str]:
    if not values:
        raise refuse("is an empty list", "name a column, or remove the key")
    if any(not value.strip() for value in values):
        raise refuse("has an empty name", "name a column")
    return values


def _no_blank(value: str) -> str:
    if not value.strip():
        raise refuse("is empty", "name a column")
    return value


def read_duration(value: Any) -> Any:
    """Return the seconds of a text such as `7d`; whole numbers of s, m, h, d or w."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise refuse(f"must be a duration, not {describe(value)}", _DURATION_FIX)
    return int(match[1]) * _SECONDS[match[2]]


def read_period(value: Any) -> Any:
    """Return the number and the unit, as Spark's `timestampadd` has it, of a text such as `1 month`."""
    match = _PERIOD.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise refuse(f"must be a length of time above 0, not {describe(value)}", _PERIOD_FIX)
    return int(match[1]), _PERIOD_UNITS.get(match[2], match[2].upper().removesuffix("S"))


def _check_identifier(value: str) -> str:
    if not IDENTIFIER.fullmatch(value):
        raise refuse(f"must be a name, not {describe(value)}", identifier_fix(value))
    return value


def _check_fraction(value: float) -> float:
    if not 0 < value < 1:
        fix = f"write it as a share: {value / 100:g}" if 2 <= value < 100 else "write a share such as 0.2"
        raise refuse(f"must lie between 0 and 1, not {describe(value)}", fix)
    return value


def _check_finite(value: float) -> float:
    if not math.isfinite(value):
        raise refuse(f"must be a finite number, not {describe(value)}", "write a number")
    return value


def _check_reference(value: str) -> str:
    if _REFERENCE.fullmatch(value.strip()):
        return value.strip()
    if IDENTIFIER.fullmatch(value):
        fix = f"write ref('{value}')"
    elif re.search(r"(ref|source)\s*\(", value):
        fix = _REFERENCE_FIX
    else:
        fix = "write the query as a SQL model and refer to it with ref('name')"
    raise refuse("must be a ref(…) or source(…)", fix)


def _check_seen(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _check_reference(value)
    raise refuse(f"must be true, false, ref(…) or source(…), not {describe(value)}", "write true for the training data")


def _check_instant(value: str) -> str:
    try:
        datetime.fromisoformat(value.strip())
    except ValueError:
        raise refuse(f"must be a date or timestamp, not {describe(value)}", "write one such as '2013-11-01'") from None
    return value.strip()


def _check_memory(value: str) -> str:
    if not _MEMORY.fullmatch(value.strip()):
        raise refuse(f"must be a size, not {describe(value)}", "write one such as 4g or 512m")
    return value.strip()


def _check_scalar(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise refuse(f"must be one value, not {describe(value)}", "write a text, a number, true or false")
    return value


def _check_options(value: Any) -> Any:
    """Turn options into Spark's texts: true and false in small letters, numbers as they print."""
    if not isinstance(value, dict):
        return value
    texts: dict[str, Any] = {}
    for key, option in value.items():
        if isinstance(option, list | dict) or option is None:
            raise refuse(
                f"has no single value for '{key}', but {describe(option)}", "write a text, a number, true or false"
            )
        texts[key] = str(option).lower() if isinstance(option, bool) else str(option)
    return texts


def _check_levels(value: Any) -> Any:
    for code, level in value.items() if isinstance(value, dict) else ():
        if code not in SETTABLE:
            raise refuse(f"has no code '{code}'", suggest(str(code), SETTABLE, "the codes are"))
        if level not in LEVELS:
            raise refuse(f"cannot set {code} to {describe(level)}", f"it is one of: {', '.join(LEVELS)}")
    return value


def _check_reasons(value: Any) -> Any:
    for column, reason in value.items() if isinstance(value, dict) else ():
        if not isinstance(reason, str) or not reason.strip():
            raise refuse(
                f"gives no reason for '{column}'", "say why it may be known, as in {column: published months before}"
            )
    return value


def describe(value: Any) -> str:
    """Return `value` as a user would call it: `the text 'abc'`, `a list`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {str(value).removesuffix('.0')}"
    if isinstance(value, str):
        shown = value if len(value) <= 40 else f"{value[:39]}…"
        return f"the text '{shown}'" if value else "an empty text"
    return "a mapping" if isinstance(value, dict) else "a list"


def spelled(**keywords: Any) -> WithJsonSchema:
    """Return what an editor is told of a type, in the words of JSON Schema."""
    return WithJsonSchema(keywords)


_TEXTS = {"type": "array", "items": {"type": "string"}}
_NAMES = {"type": "array", "items": {"type": "string", "pattern": r"\S"}, "minItems": 1}
_WHOLE_REFERENCE = rf"^\s*({_REFERENCE.pattern})\s*$"
_SCALAR = ["string", "number", "boolean"]
_LEVEL_OF_CODE = {
    code: {"enum": list(LEVELS), "description": f"{RULES[code].title}: {RULES[code].level} unless it is set here."}
    for code in SETTABLE
}

Column = Annotated[str, AfterValidator(_no_blank), spelled(type="string", pattern=r"\S")]
Columns = Annotated[
    list[str],
    BeforeValidator(listed),
    AfterValidator(_no_empty),
    spelled(anyOf=[_NAMES, {"type": "string", "pattern": r"\S"}]),
]
Tags = Annotated[list[str], BeforeValidator(listed), spelled(anyOf=[_TEXTS, {"type": "string"}])]
Identifier = Annotated[
    str,
    AfterValidator(_check_identifier),
    spelled(type="string", pattern=f"^{IDENTIFIER.pattern}$", patternErrorMessage=identifier_fix("")),
]
Reference = Annotated[
    str,
    AfterValidator(_check_reference),
    spelled(type="string", pattern=_WHOLE_REFERENCE, patternErrorMessage=_REFERENCE_FIX),
]
Seen = Annotated[
    Any,
    AfterValidator(_check_seen),
    spelled(anyOf=[{"type": "boolean"}, {"type": "string", "pattern": _WHOLE_REFERENCE}]),
]
Seconds = Annotated[
    int,
    BeforeValidator(read_duration),
    spelled(type="string", pattern=rf"^\s*{_DURATION.pattern}\s*$", patternErrorMessage=_DURATION_FIX),
]
Period = Annotated[
    tuple[int, str],
    BeforeValidator(read_period),
    spelled(type="string", pattern=rf"^\s*{_PERIOD.pattern}\s*$", patternErrorMessage=_PERIOD_FIX),
]
Fraction = Annotated[
    float, AfterValidator(_check_fraction), spelled(type="number", exclusiveMinimum=0, exclusiveMaximum=1)
]
Finite = Annotated[float, AfterValidator(_check_finite)]
Instant = Annotated[str, AfterValidator(_check_instant)]
Memory = Annotated[
    str, AfterValidator(_check_memory), spelled(type="string", pattern=r"^\s*[1-9]\d*[kmgtKMGT][bB]?\s*$")
]
Value = Annotated[Any, AfterValidator(_check_scalar), spelled(type=[*_SCALAR, "null"])]
Options = Annotated[
    dict[str, str], BeforeValidator(_check_options), spelled(type="object", additionalProperties={"type": _SCALAR})
]
Positive = Annotated[int, Field(gt=0)]
Levels = Annotated[
    dict[str, str],
    BeforeValidator(_check_levels),
    spelled(type="object", properties=_LEVEL_OF_CODE, additionalProperties=False),
]
Reasons = Annotated[
    dict[str, str],
    BeforeValidator(_check_reasons),
    spelled(type="object", additionalProperties={"type": "string", "pattern": r"\S"}),
]
