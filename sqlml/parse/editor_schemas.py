"""What editors complete and check: the specs and the registries in, a JSON Schema (draft 7) for each kind of file out.

Nothing that sqlml reads is refused by them, but for a key with nothing after it; what they cannot know (a column, a
file, a reference) they let pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from sqlml.parse.data_tests import DATA_TESTS, PLAIN_TESTS, TEST_BLOCKS
from sqlml.parse.folder_rules import CONFIGS
from sqlml.parse.ml_checks import SPLIT_KEYS
from sqlml.parse.ml_schemas import complete_ml_model, complete_ml_output, complete_ways
from sqlml.parse.project_specs import ProjectFileSpec, TargetSpec
from sqlml.parse.relation_specs import SourceTableSpec, Spec
from sqlml.parse.spec_entries import ENTRY_SPECS
from sqlml.parse.transform_schemas import complete_transform
from sqlml.parse.tuning import FOLD_KEYS

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_REFRESH = "Written by sqlml; 'sqlml init --schemas' writes it anew."
_TEMPLATE: Schema = {
    "type": "string",
    "pattern": r"\{[{%]",
    "description": "Jinja, such as {{ var('name') }} or {{ env_var('NAME') }}.",
}


def yaml_file_schema() -> Schema:
    """Return the schema of the YAML files below model and seed paths."""
    definitions = _definitions([*ENTRY_SPECS.values(), SourceTableSpec, *DATA_TESTS.values()])
    definitions["data tests"] = _data_tests(definitions)
    source = definitions["SourceSpec"]
    tables = {"type": "array", "minItems": 1, "items": _ref("SourceTableSpec"), "description": "Its tables."}
    source["properties"]["tables"] = tables
    source["required"].append("tables")
    complete_ml_model(definitions["MlModelSpec"])
    complete_ways(definitions["SplitSpec"], SPLIT_KEYS)
    complete_ways(definitions["FoldsSpec"], FOLD_KEYS)
    complete_transform(definitions["TransformEntry"])
    complete_ml_output(definitions["MlOutputSpec"])
    # A kind without entries is written while one is about to write them.
    lists = {
        kind: {
            "type": ["array", "null"],
            "items": _ref(spec.__name__),
            "description": f"{_about(spec)} One a dash.",
        }
        for kind, spec in ENTRY_SPECS.items()
    }
    version = {"const": 2, "description": "Version of the grammar."}
    return _document("A YAML file of a sqlml project", {"version": version, **lists}, definitions)


def project_file_schema() -> Schema:
    """Return the schema of `sqlml_project.yml`."""
    definitions = _definitions([ProjectFileSpec, TargetSpec, *CONFIGS.values()])
    project = definitions.pop("ProjectFileSpec")
    properties: Schema = project["properties"]
    properties["targets"]["additionalProperties"] = {"anyOf": [_ref("TargetSpec"), {"type": "null"}]}
    for kind, spec in CONFIGS.items():
        folder = f"folder of {kind}"
        settings = definitions.pop(spec.__name__)["properties"]
        definitions[folder] = {
            "type": "object",
            "properties": {f"+{key}": schema for key, schema in settings.items()},
            # What begins with a plus sign is a setting, and no folder.
            "patternProperties": {rf"^\+(?!({'|'.join(settings)})$)": False},
            "additionalProperties": _ref(folder),
        }
        properties[kind] = {"allOf": [_ref(folder)], "description": properties[kind]["description"]}
    # A key with nothing after it is one that is not given.
    optional = {
        key: _hoisted({"anyOf": [schema, {"type": "null"}]}, schema)
        for key, schema in properties.items()
        if key != "name"
    }
    return _document("sqlml_project.yml", {"name": properties["name"], **optional}, definitions, ["name"])


def _data_tests(definitions: Schema) -> Schema:
    """Return the schema of a list of data tests: names, and names with their keys below them."""
    kinds: Schema = {}
    for kind, spec in DATA_TESTS.items():
        own = definitions[spec.__name__]
        blocks = {block: {"type": "object", "properties": own["properties"]} for block in TEST_BLOCKS}
        kinds[kind] = {**own, "type": ["object", "null"], "properties": {**own["properties"], **blocks}}
        needed = kinds[kind].pop("required", [])
        if needed:
            kinds[kind]["anyOf"] = [{"required": needed}, *({"required": [block]} for block in TEST_BLOCKS)]
    for spec in DATA_TESTS.values():
        definitions.pop(spec.__name__, None)
    one = {"type": "object", "properties": kinds, "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    return {"type": "array", "items": {"anyOf": [{"enum": sorted(PLAIN_TESTS)}, one]}}


def _document(title: str, properties: Schema, definitions: Schema, required: list[str] | None = None) -> Schema:
    document = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "definitions": definitions,
    }
    opened = _open(document)
    opened["definitions"]["template"] = _TEMPLATE
    given = {"required": required} if required else {}
    return {"$schema": _DRAFT, "$comment": _REFRESH, "title": title, **opened, **given}


class _Spelling(GenerateJsonSchema):
    """What pydantic knows of the specs, without titles, with the texts of their docstrings."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: Any) -> Schema:
        # None stands for a key that is not given.
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> Schema:
        found = super().default_schema(schema)
        return found if found.get("default") not in (None, "") else {k: v for k, v in found.items() if k != "default"}

    def model_schema(self, schema: Any) -> Schema:
        found = super().model_schema(schema)
        spec: type[BaseModel] = schema["cls"]
        about = key_texts(spec)
        properties = {
            key: {
                **(_ref("data tests") if key in ("data_tests", "tests") else inner),
                "description": about.get(key, ""),
            }
            for key, inner in found.get("properties", {}).items()
        }
        return {
            "type": "object",
            "description": _about(spec),
            "properties": properties,
            "additionalProperties": False,
            **({"required": list(found["required"])} if "required" in found else {}),
        }


def key_texts(spec: type[BaseModel]) -> dict[str, str]:
    """Return key -> what the `Attributes:` of a spec, or of its bases, say of it."""
    found: dict[str, str] = {}
    for cls in reversed(spec.__mro__):
        text = ((issubclass(cls, Spec) and cls.__doc__) or "").partition("Attributes:\n")[2]
        for match in re.finditer(r"^ {8}([\w-]+): ((?:.+\n?)(?: {12}.+\n?)*)", text, re.MULTILINE):
            found[match[1]] = " ".join(match[2].split())
    return found


def _about(spec: type[BaseModel]) -> str:
    return (spec.__doc__ or "").partition("\n")[0]


def _definitions(specs: list[type[Spec]]) -> Schema:
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [(spec, "validation") for spec in dict.fromkeys(specs)]
    _, found = models_json_schema(asked, ref_template="#/definitions/{model}", schema_generator=_Spelling)
    definitions: Schema = found["$defs"]
    return definitions


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _open(schema: Any) -> Any:
    """Return a schema in which every value may be Jinja, and in which no key stands beside a `$ref`."""
    if not isinstance(schema, dict):
        return schema
    opened: Schema = {}
    for key, inner in schema.items():
        if key == "properties":
            opened[key] = {name: _with_template(_open(value)) for name, value in inner.items()}
        elif key in ("items", "additionalProperties"):
            opened[key] = _with_template(_open(inner))
        elif key == "anyOf":
            opened[key] = [way for value in inner for way in _ways(_open(value))]
        elif key == "allOf":
            opened[key] = [_open(value) for value in inner]
        elif key == "then":
            opened[key] = _open(inner)
        elif key == "definitions":
            opened[key] = {name: _open(value) for name, value in inner.items()}
        else:
            opened[key] = inner
    if "$ref" in opened and len(opened) > 1:
        # Draft 7 does not look at them.
        return {"allOf": [{"$ref": opened.pop("$ref")}], **opened}
    return opened


def _with_template(schema: Any) -> Any:
    if not isinstance(schema, dict) or _takes_any_text(schema):
        return schema
    return _hoisted({"anyOf": [*_ways(schema), _ref("template")]}, schema)


def _ways(schema: Any) -> list[Any]:
    """Return the schemas that a schema leaves the choice between: those below it, if it says nothing else."""
    is_choice = isinstance(schema, dict) and not set(schema) - {"anyOf", "description", "default"}
    return list(schema["anyOf"]) if is_choice and "anyOf" in schema else [schema]


def _takes_any_text(schema: Mapping[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(_takes_any_text(inner) for inner in schema["anyOf"])
    types = schema.get("type", [])
    is_text = "string" in (types if isinstance(types, list) else [types])
    return (is_text and not {"pattern", "enum", "const"} & set(schema)) or not set(schema) - {"description", "default"}


def _hoisted(outer: Schema, inner: Schema) -> Schema:
    """Return `outer` with the text and the default of the schema in it, where an editor looks for them."""
    return {**outer, **{key: inner.pop(key) for key in ("description", "default") if key in inner}}
