"""What an editor is told of transforms besides their keys: the registry of words in, a JSON Schema's conditions out."""

from __future__ import annotations

from typing import Any

from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.words import MAPPINGS, OPTIONS, WORDS, Word
from sqlml.parse.ml_schemas import Schema, params_schema


def complete_transform(definition: Schema) -> None:
    """Add to the schema of `TransformEntry` the params that its words take, and where null is a value."""
    keys = definition["properties"]
    keys["unseen"] = {"anyOf": [{"enum": keys["unseen"].pop("enum")}, {"type": "null"}], **_said(keys["unseen"])}
    limits = {"items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2}
    keys["clip"] = {"type": "array", **limits, **_said(keys["clip"])}
    taken = _params()
    keys["params"] = {
        "type": "object",
        "properties": {name: _any_of(ways) for name, (ways, _) in taken.items()},
        "additionalProperties": False,
        **_said(keys["params"]),
    }
    definition["dependencies"] = {option: [key] for option, key in OPTIONS.items()}
    definition["allOf"] = [
        {
            "if": {"properties": {"params": {"type": "object", "required": [name]}}, "required": ["params"]},
            "then": {"anyOf": [_is_said(word) for word in words]},
        }
        for name, (_, words) in taken.items()
    ]


def _params() -> dict[str, tuple[list[Schema], list[Word]]]:
    """Return each param that some stage has: the schemas of its values, and the words whose stages take it."""
    found: dict[str, tuple[list[Schema], list[Word]]] = {}
    for stage, entry in FEATURE_STAGES.items():
        schemas = params_schema(stage, entry.defaults)["properties"]
        for name in entry.params:
            ways, words = found.setdefault(name, ([], []))
            if schemas[name] not in ways:
                ways.append(schemas[name])
            words += [word for word in WORDS if stage in word.stages and word not in words]
    return found


def _is_said(word: Word) -> Schema:
    """Return the schema of an entry that says a word."""
    if not word.choice:
        return {"required": [word.key]}
    value: Schema = {"type": "object", "required": [word.choice]} if word.key in MAPPINGS else {"const": word.choice}
    return {"properties": {word.key: value}, "required": [word.key]}


def _any_of(ways: list[Schema]) -> Schema:
    return ways[0] if len(ways) == 1 else {"anyOf": ways}


def _said(schema: Schema) -> dict[str, Any]:
    return {"description": schema["description"]}
