"""What an editor is told of ML models besides their keys: registries in, the conditions of a JSON Schema out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlml.ir.estimators import ESTIMATORS, Estimator, Problem
from sqlml.ir.metrics import known_metrics
from sqlml.ir.ml_outputs import OUTPUT_KEYS, OUTPUT_KINDS, kinds_of
from sqlml.ir.roles import ROLES
from sqlml.ir.spark_params import Limits, SparkParam, spark_params

Schema = dict[str, Any]

_IMPORT_PATH = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
_BITS = {"int": 31, "long": 63}
_FOR_CLASSIFIERS = ("positive", "threshold")
_RULES: Mapping[str, Schema] = {
    "distinct": {"uniqueItems": True},
    "distinct_names": {"uniqueItems": True},
    "count_or_share": {"type": "string", "pattern": r"^\+?(\d+|\d*\.\d+)([eE][+-]?\d+)?$"},
    "locale": {"pattern": r"^[a-z]{2,3}([_#-]+[\w-]+)*$"},
}
"""What JSON Schema can say of a rule of `Limits`; of the others it says nothing."""


def complete_ml_model(definition: Schema) -> None:
    """Add to the schema of `MlModelSpec` what each estimator takes: its params with their values, roles and metrics."""
    key = definition["properties"]["estimator"]
    del key["type"]
    known = {"enum": list(ESTIMATORS), "enumDescriptions": [entry.about for entry in ESTIMATORS.values()]}
    key["anyOf"] = [known, {"type": "string", "pattern": _IMPORT_PATH}]
    definition["allOf"] = [
        {
            "if": {"properties": {"estimator": {"const": name}}, "required": ["estimator"]},
            "then": _taken_by(entry),
        }
        for name, entry in ESTIMATORS.items()
    ]


def complete_ways(definition: Schema, keys_of: Mapping[str | None, frozenset[str]]) -> None:
    """Add to the schema of `SplitSpec` or `FoldsSpec` which keys mean something with which `by:`."""
    keys = definition["properties"]
    definition["allOf"] = [
        {
            "if": {"properties": {"by": {"const": way}}, "required": ["by"]},
            "then": {"properties": {key: False for key in keys if key not in taken}},
        }
        for way, taken in keys_of.items()
        if way is not None
    ]


def complete_ml_output(definition: Schema) -> None:
    """Add to the schema of `MlOutputSpec` the kinds there are, and which keys mean something to each."""
    key = definition["properties"]["kind"]
    key |= {"enum": list(OUTPUT_KINDS), "enumDescriptions": [kind.about for kind in OUTPUT_KINDS.values()]}
    definition["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
            "then": {"properties": {key: False for key in OUTPUT_KEYS if key not in kind.takes}},
        }
        for name, kind in OUTPUT_KINDS.items()
    ]


def _taken_by(entry: Estimator) -> Schema:
    refused = [key for key in ROLES if key not in entry.roles]
    if entry.problem is not Problem.CLASSIFICATION:
        refused += _FOR_CLASSIFIERS
    metric = {"properties": {"metric": {"enum": list(known_metrics(entry))}}}
    params = _estimator_params(entry)
    tuned = {"propertyNames": {"enum": list(params["properties"])}} if "properties" in params else {}
    taken: Schema = {
        "properties": {
            "params": params,
            "tune": {"properties": {**metric["properties"], "params": tuned}},
            "gates": {"items": metric},
            "outputs": {"items": {"properties": {"kind": {"enum": list(kinds_of(entry))}}}},
            **dict.fromkeys(refused, False),
        }
    }
    needed = [key for key, role in ROLES.items() if key in entry.roles and role.is_needed]
    return {**taken, "required": needed} if needed else taken


def _estimator_params(entry: Estimator) -> Schema:
    if "classifier" in entry.own_params:
        return {"type": "object", "anyOf": [_params_over(over) for over in ESTIMATORS.values() if _is_wrapped(over)]}
    schema = params_schema(entry.name, entry.sets)
    for name in entry.refused_params:
        del schema["properties"][name]
    if "hiddenLayers" in entry.own_params:
        sizes = {"type": "integer", "exclusiveMinimum": 0}
        about = "Sizes of the layers between input and output."
        schema["properties"]["hiddenLayers"] = {"type": "array", "items": sizes, "description": about}
    return schema


def _is_wrapped(entry: Estimator) -> bool:
    return entry.problem is Problem.CLASSIFICATION and "classifier" not in entry.own_params


def _params_over(over: Estimator) -> Schema:
    """Return the schema of OneVsRest's params over a classifier: the classifier's, with those of its own."""
    own = params_schema("OneVsRest", {})["properties"]
    schema = _estimator_params(over)
    schema["properties"] |= {"parallelism": own["parallelism"], "classifier": {"const": over.name}}
    return {**schema, "required": ["classifier"]}


def params_schema(stage: str, sets: Mapping[str, Any]) -> Schema:
    """Return the schema of `params:` for a class of Spark ML.

    Args:
        sets: what sqlml sets unless the spec does.
    """
    properties = {
        name: _param_schema(param, sets.get(name, param.default))
        for name, param in spark_params(stage).items()
        if not param.is_column
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _param_schema(param: SparkParam, default: Any) -> Schema:
    schema = {**_value_schema(param.type, param.limits), "description": param.doc}
    return schema if default is None else {**schema, "default": default}


def _value_schema(kind: str, limits: Limits) -> Schema:
    if limits.values:
        return _one_of(limits)
    if kind.startswith("list of "):
        items = _value_schema(kind.removeprefix("list of "), limits.each or Limits())
        least = {"minItems": limits.min_items} if limits.min_items else {}
        return {"type": "array", "items": items, **least, **_RULES.get(limits.rule, {})}
    numbers: Schema = {"type": "array", "items": {"type": "number"}}
    if kind == "vector":
        return numbers
    if kind == "matrix":
        return {"type": "object", "additionalProperties": {"anyOf": [{"type": "number"}, {**numbers, "minItems": 1}]}}
    types = {"int": "integer", "long": "integer", "float": "number", "boolean": "boolean", "string": "string"}
    types |= {"list": "array"}
    schema: Schema = {"type": types[kind]} if kind in types else {}
    schema |= _bounds(kind, limits) | _RULES.get(limits.rule, {})
    return {"anyOf": [schema, {"enum": list(limits.also)}]} if limits.also else schema


def _bounds(kind: str, limits: Limits) -> Schema:
    found = {
        "minimum": limits.at_least,
        "exclusiveMinimum": limits.above,
        "maximum": limits.at_most,
        "exclusiveMaximum": limits.below,
    }
    bounds: Schema = {key: value for key, value in found.items() if value is not None}
    if kind in _BITS:
        bounds.setdefault("maximum", 2 ** _BITS[kind] - 1)
    return bounds


def _one_of(limits: Limits) -> Schema:
    ways: list[Schema] = [{"enum": list(limits.values)}]
    if limits.ignore_case:
        # JSON Schema's patterns cannot be told to ignore the case.
        texts = ("".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in text) for text in limits.values)
        ways.append({"type": "string", "pattern": f"^({'|'.join(texts)})$"})
    if limits.rule in _RULES:
        ways.append(dict(_RULES[limits.rule]))
    return {"anyOf": ways} if len(ways) > 1 else ways[0]
