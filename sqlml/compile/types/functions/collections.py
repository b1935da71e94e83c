"""Arrays, maps and structs: their parts' types in, the type of what is made or taken out."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.types.coercion import common_type, wider
from sqlml.compile.types.functions.call import Call, Rule, named, same_as_first
from sqlml.compile.types.literals import constant_text
from sqlml.compile.types.spark_types import (
    VARIANT,
    ArrayType,
    Field,
    MapType,
    SparkType,
    StructType,
    array_of,
    map_of,
    struct_of,
)


def field_of(container: SparkType | None, name: str) -> SparkType | None:
    """Return what `container.name` is: a field, a map's value, or that field of each element of an array."""
    if isinstance(container, StructType):
        return container.field(name)
    if isinstance(container, MapType):
        return container.value
    if isinstance(container, ArrayType) and isinstance(container.element, StructType):
        return array_of(container.element.field(name))
    return VARIANT if container == VARIANT else None


def _array(call: Call) -> SparkType | None:
    return array_of(common_type([call.types.type_of(entry) for entry in call.node.expressions]))


def _map(call: Call) -> SparkType | None:
    keys, values = call.types.type_of(call.slot("keys")), call.types.type_of(call.slot("values"))
    if isinstance(keys, ArrayType) and isinstance(values, ArrayType):
        return MapType(keys.element, values.element)
    return None


def _struct(call: Call) -> SparkType | None:
    fields: list[tuple[str, SparkType | None]] = []
    for at, entry in enumerate(call.node.expressions):
        if not is_star(entry):
            fields.append(_struct_field(call, entry, at))
            continue
        columns = call.types.star(entry)
        if columns is None:
            return None
        fields.extend(columns)
    return struct_of(*fields)


def is_star(entry: exp.Expr) -> bool:
    """Return whether `entry` is `*`, `relation.*` or `struct.*`."""
    last = entry.expression if isinstance(entry, exp.Dot) else entry.this if isinstance(entry, exp.Column) else entry
    return isinstance(last, exp.Star)


def _struct_field(call: Call, entry: exp.Expr, at: int) -> tuple[str, SparkType | None]:
    if isinstance(entry, exp.PropertyEQ):
        name, value = entry.this.name, entry.expression
        # sqlglot numbers what Spark names after a field; `named_struct` may say the same and mean it.
        is_numbered = name == f"col{at + 1}" and isinstance(value, exp.Dot | exp.Bracket) and _name_of(value)
        return name, None if is_numbered else call.types.type_of(value)
    if isinstance(entry, exp.Alias):
        return entry.alias, call.types.type_of(entry.this)
    return _name_of(entry) or f"col{at + 1}", call.types.type_of(entry)


def _name_of(entry: exp.Expr) -> str:
    while isinstance(entry, exp.Paren):
        entry = entry.this
    if isinstance(entry, exp.Dot):
        return str(entry.expression.name)
    if isinstance(entry, exp.Bracket) and len(entry.expressions) == 1:
        return constant_text(entry.expressions[0]) or ""
    return str(entry.name) if isinstance(entry, exp.Column | exp.Identifier) else ""


def _entry(call: Call) -> SparkType | None:
    container, key = call.type(0), call.arg(1)
    if isinstance(container, StructType):
        name = constant_text(key)
        return None if name is None else container.field(name)
    if isinstance(container, ArrayType):
        name = constant_text(key)
        return container.element if name is None else field_of(container, name)
    return container.value if isinstance(container, MapType) else None


def _element(call: Call) -> SparkType | None:
    return call.element()


def _flattened(call: Call) -> SparkType | None:
    found = call.element()
    return found if isinstance(found, ArrayType) else None


def _repeated(call: Call) -> SparkType | None:
    return array_of(call.type(0))


def _both(call: Call) -> SparkType | None:
    found = wider(call.type(0), call.type(1))
    return found if isinstance(found, ArrayType) else None


def _with_element(call: Call) -> SparkType | None:
    return array_of(wider(call.element(0), call.type(1)))


def _inserted(call: Call) -> SparkType | None:
    return array_of(wider(call.element(0), call.types.type_of(call.slot("expression"))))


def _zipped(call: Call) -> SparkType | None:
    fields: list[tuple[str, SparkType | None]] = []
    for at, entry in enumerate(call.args):
        if isinstance(entry, exp.Dot | exp.Alias):
            return None
        fields.append((entry.name if isinstance(entry, exp.Column | exp.Identifier) else str(at), call.element(at)))
    return array_of(struct_of(*fields))


def _keys(call: Call) -> SparkType | None:
    found = call.map()
    return found and ArrayType(found.key)


def _values(call: Call) -> SparkType | None:
    found = call.map()
    return found and ArrayType(found.value)


def _entries(call: Call) -> SparkType | None:
    found = call.map()
    return found and ArrayType(StructType((Field("key", found.key), Field("value", found.value))))


def _from_entries(call: Call) -> SparkType | None:
    found = call.row()
    return map_of(found.fields[0].type, found.fields[1].type) if found and len(found.fields) == 2 else None


def _merged_maps(call: Call) -> SparkType | None:
    found = common_type(call.all_types())
    return found if isinstance(found, MapType) else None


RULES: dict[str, Rule] = {
    **named(_array, "array"),
    **named(_map, "varmap map"),
    **named(_struct, "struct tuple"),
    **named(_entry, "bracket"),
    **named(_element, "arraymax arraymin array_max array_min get"),
    **named(_flattened, "flatten"),
    **named(_repeated, "array_repeat"),
    **named(_both, "array_union arrayexcept arrayintersect"),
    **named(_with_element, "arrayappend arrayprepend arrayremove"),
    **named(_inserted, "arrayinsert"),
    **named(_zipped, "arrayszip"),
    **named(_keys, "mapkeys"),
    **named(_values, "map_values"),
    **named(_entries, "map_entries"),
    **named(_from_entries, "mapfromentries"),
    **named(_merged_maps, "map_concat"),
    **named(same_as_first, "arraycompact arraydistinct arrayslice arraysort array_sort shuffle sort_array"),
}
