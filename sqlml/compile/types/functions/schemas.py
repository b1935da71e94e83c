"""Functions that read text by a schema or a type that a constant names: JSON, CSV, XML, variants."""

from __future__ import annotations

from sqlml.compile.types.functions.call import Call, Rule, named
from sqlml.compile.types.literals import constant_text
from sqlml.compile.types.spark_types import VARIANT, SparkType
from sqlml.compile.types.type_text import parse_schema, parse_type


def _by_schema(call: Call) -> SparkType | None:
    text = constant_text(call.arg(1))
    return None if text is None else parse_schema(text)


def _variant_part(call: Call) -> SparkType | None:
    if call.arg(2) is None:
        return VARIANT
    text = constant_text(call.arg(2))
    return None if text is None else parse_type(text)


def _path(call: Call) -> SparkType | None:
    return VARIANT if call.type(0) == VARIANT else None


RULES: dict[str, Rule] = {
    **named(_by_schema, "fromjson from_json from_csv from_xml"),
    **named(_variant_part, "variant_get try_variant_get"),
    **named(_path, "jsonextract"),
}
