"""Functions of text that also take bytes or arrays: arguments in, the type of the result out."""

from __future__ import annotations

from sqlml.compile.types.coercion import common_type
from sqlml.compile.types.functions.call import Call, Rule, named
from sqlml.compile.types.spark_types import BINARY, STRING, ArrayType, AtomicType, SparkType


def text_or_bytes(call: Call) -> SparkType | None:
    """Return bytes for bytes, and a string for anything else that is known."""
    found = call.type(0)
    if found == BINARY:
        return BINARY
    return STRING if _is_plain(found) and not call.has_collation() else None


def _is_plain(found: SparkType | None) -> bool:
    return found is not None and not isinstance(found, ArrayType)


def _all_bytes(call: Call) -> SparkType | None:
    types = call.all_types()
    if None in types or call.has_collation():
        return None
    return BINARY if types and all(found == BINARY for found in types) else STRING


def _concatenated(call: Call) -> SparkType | None:
    types = call.all_types()
    if any(isinstance(found, ArrayType) for found in types):
        return common_type(types)
    return _all_bytes(call)


def _reversed(call: Call) -> SparkType | None:
    found = call.type(0)
    return found if isinstance(found, ArrayType) else text_or_bytes(call)


def _padded(call: Call) -> SparkType | None:
    padding = call.slot("fill_pattern")
    is_text = padding is not None and call.types.type_of(padding) != BINARY
    return STRING if is_text and _is_plain(call.type(0)) else text_or_bytes(call)


def _overlaid(call: Call) -> SparkType | None:
    types = (call.type(0), call.type(1))
    if None in types or call.has_collation():
        return None
    return BINARY if types == (BINARY, BINARY) else STRING


def _chosen(call: Call) -> SparkType | None:
    types = call.all_types()[1:]
    if None in types or call.has_collation():
        return None
    return BINARY if types and all(found == BINARY for found in types) else STRING


def _collated(call: Call) -> SparkType | None:
    name = call.arg(1)
    return None if name is None or not name.name else AtomicType(f"string collate {name.name.upper()}")


RULES: dict[str, Rule] = {
    **named(text_or_bytes, "substring left groupconcat"),
    **named(_concatenated, "concat dpipe"),
    **named(_reversed, "reverse"),
    **named(_padded, "pad"),
    **named(_overlaid, "overlay"),
    **named(_chosen, "elt"),
    **named(_collated, "collate"),
    # The name of a collation has none itself.
    **named(lambda call: STRING, "collation"),
}
