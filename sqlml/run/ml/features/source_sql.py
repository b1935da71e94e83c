"""What plain SQL does to features: resolved transforms in, the SQL of the columns that all other stages read out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlml.ir.chains import FeatureTransform
from sqlml.ir.words import Kind
from sqlml.run.ml.features.making import EMPTY_LABEL, NULL_LABEL, Block, Making, Slot, internal_name
from sqlml.run.ml.sql_text import is_float, literal
from sqlml.run.tables import quote


def add_sources(making: Making, texts: Mapping[str, str]) -> None:
    """Cast every feature, in one stage: `SELECT *, CAST(`x` AS DOUBLE) AS `__sqlml_0_x` … FROM __THIS__`.

    Args:
        making: gets the stage, and a block for each feature.
        texts: the SQL of the features that are categories.
    """
    columns: dict[str, str] = {}
    for index, transform in enumerate(making.transforms):
        name, feature = internal_name(index, transform.column), transform.column
        if transform.value("encode") == "hash":
            name = _hashed_name(name, feature, making.transforms)
        if transform.is_category:
            made = {name: texts[feature]}
        elif transform.kind is Kind.ARRAY:
            made = _array(transform, name, making.sizes[feature])
        elif transform.kind is Kind.VECTOR:
            made = {name: source_of(transform)}
        elif transform.said("text") is not None:
            made = {name: _text(transform)}
        else:
            made = {name: _number(transform)}
        size = making.sizes.get(feature)
        names = (feature,) if size is None else tuple(f"{feature}[{slot}]" for slot in range(size))
        making.blocks[feature] = Block(tuple(made), tuple(Slot(slot, (feature,)) for slot in names))
        if transform.said("indicator") is not None:
            making.indicators[feature] = f"{name}_null"
            made[f"{name}_null"] = f"CAST({is_null(transform)} AS DOUBLE)"
        columns |= made
    making.select(columns)


def _hashed_name(name: str, feature: str, transforms: Sequence[FeatureTransform]) -> str:
    """Return a name that says nothing of the feature's place in the list, for it is hashed with the values."""
    plain = internal_name("", feature)
    is_unique = [internal_name("", transform.column) for transform in transforms].count(plain) == 1
    return plain if is_unique else name


def source_of(transform: FeatureTransform) -> str:
    """Return the SQL that stands for a feature: its column, or its `expr:`."""
    return quote(transform.column) if transform.expr is None else f"({transform.expr})"


def is_null(transform: FeatureTransform) -> str:
    """Return the condition that a feature has no value: null, NaN, or what the imputer is told stands for it."""
    source = source_of(transform)
    conditions = [f"{source} IS NULL"]
    applied = transform.said("impute")
    missing = None if applied is None else applied.params.get("missingValue")
    if is_float(transform.value_type):
        conditions.append(f"isnan({source})")
    if missing is not None:
        conditions.append(f"coalesce({source} = {double(missing)}, false)")
    return " OR ".join(conditions)


def double(value: float) -> str:
    """Return a number as a SQL expression."""
    return f"CAST({literal(str(float(value)))} AS DOUBLE)"


def clipped(value: str, limits: tuple[float | None, float | None]) -> str:
    """Return the SQL of a value inside its limits; null and NaN stay what they are."""
    low, high = limits
    inside = value if low is None else f"greatest({value}, {double(low)})"
    inside = inside if high is None else f"least({inside}, {double(high)})"
    # Spark's `greatest` passes over nulls, and NaN is greater than all.
    return f"if({value} IS NULL OR isnan({value}), {value}, {inside})"


def category_text(transform: FeatureTransform, null: str) -> str:
    """Return the SQL of a category's text, with `null` for null and NaN."""
    source = source_of(transform)
    value = f"CAST({source} AS STRING)"
    if is_float(transform.value_type):
        value = f"CASE WHEN NOT isnan({source}) THEN {value} END"
    return f"coalesce(CASE WHEN {value} = '' THEN {literal(EMPTY_LABEL)} ELSE {value} END, {literal(null)})"


def fill_text(transform: FeatureTransform) -> str | None:
    """Return the constant that stands for null, as a category's text; None: there is none."""
    fill = transform.fill
    if fill is None:
        return None
    return str(fill).lower() if isinstance(fill, bool) else str(fill)


def known_text(transform: FeatureTransform, value: str, known: Sequence[str], null: str) -> str:
    """Return the SQL of a category's text where a value outside of `known` is one that no training row has."""
    if transform.unseen == "other" or (transform.unseen == "null" and null == NULL_LABEL):
        # The indexer has a slot for them.
        return value
    listed = ", ".join(literal(label) for label in known)
    if transform.unseen == "null":
        return f"CASE WHEN {value} IN ({listed}) THEN {value} ELSE {literal(null)} END"
    what = literal(f"feature '{transform.column}' has a value that no training row has: ")
    return f"CASE WHEN {value} IN ({listed}) THEN {value} ELSE raise_error(concat({what}, {value})) END"


def _number(transform: FeatureTransform) -> str:
    value = f"CAST({source_of(transform)} AS DOUBLE)"
    impute, clip = transform.said("impute"), transform.value("clip")
    if transform.fill is not None:
        fill = double(transform.fill)
        # NaN is a null too.
        value = f"nanvl({value}, {fill})" if is_float(transform.value_type) else value
        value = f"coalesce({value}, {fill})"
    elif impute is not None and "missingValue" in impute.params and is_float(transform.value_type):
        # An imputer that is told of another value leaves NaN as it is.
        value = f"CASE WHEN NOT isnan({source_of(transform)}) THEN {value} END"
    if clip is not None and transform.impute is None:
        value = clipped(value, clip)
    if transform.is_range and impute is None:
        # Spark's ranges keep a place for NaN, and leave null out.
        value = f"coalesce({value}, {double(float('nan'))})"
    return value


def _array(transform: FeatureTransform, name: str, size: int) -> dict[str, str]:
    source = source_of(transform)
    made = {f"{name}_{slot}": f"CAST(get({source}, {slot}) AS DOUBLE)" for slot in range(size)}
    what = literal(f"feature '{transform.column}' needs arrays of length {size}")
    first = f"{name}_0"
    return made | {first: f"if(size({source}) <> {size}, raise_error({what}), {made[first]})"}


def _text(transform: FeatureTransform) -> str:
    source = source_of(transform)
    if transform.kind is Kind.WORDS:
        return f"filter(coalesce(CAST({source} AS ARRAY<STRING>), array()), word -> word IS NOT NULL)"
    return f"coalesce(CAST({source} AS STRING), '')"
