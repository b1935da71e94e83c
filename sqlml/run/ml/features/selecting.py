"""Selection of slots: a vector and how to select in, the stage that does it and the slots that stay out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlml.errors import suggest
from sqlml.ir.chains import Applied, FeatureTransform
from sqlml.run.ml.features.making import TARGET, Making, named
from sqlml.run.ml.features.mixed import Mixed

if TYPE_CHECKING:
    from pyspark.ml.feature import VectorSlicer

MOST_VALUES = 10_000
"""The most values of one slot, and of a label, that Spark's chi-square test takes."""


def select_slots(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    """Append the stage that selects, and return what is left.

    Raises:
        DataError: no slot is left, or one that was named is not there; values that the test cannot be made of.
    """
    word, output = applied.word, mixed.column("selected")
    if word.choice == "slots":
        kept = _positions(making, mixed, applied)
        making.add(_slicer(mixed.vector, output, kept))
        return mixed.made(output, [mixed.slots[at] for at in kept])
    if word.choice == "variance":
        kept = _by_variance(making, mixed.vector, output, applied)
    else:
        kept = _by_test(making, mixed, output, applied)
    if not kept:
        what = f"'select: {{{word.choice}: {applied.value:g}}}' leaves no slot of {named(mixed.members)}"
        raise making.refuse(applied, what, "lower what it asks for, or leave it out")
    return mixed.made(output, [mixed.slots[at] for at in kept])


def _slicer(vector: str, output: str, kept: Sequence[int]) -> VectorSlicer:
    from pyspark.ml.feature import VectorSlicer

    return VectorSlicer(inputCol=vector, outputCol=output, indices=list(kept))


def _positions(making: Making, mixed: Mixed, applied: Applied) -> list[int]:
    names = [slot.name for slot in mixed.slots]
    kept: list[int] = []
    for slot in applied.value:
        if isinstance(slot, str) and slot in names:
            kept.append(names.index(slot))
        elif isinstance(slot, int) and slot < len(names):
            kept.append(slot)
        else:
            known = suggest(slot, names, "there are") if isinstance(slot, str) else f"there are {len(names)}, from 0"
            what = f"'select: {{slots: …}}' of {named(mixed.members)} names slot '{slot}', which is none"
            raise making.refuse(applied, what, known)
    # Spark refuses to take a slot twice.
    return list(dict.fromkeys(kept))


def _by_variance(making: Making, vector: str, output: str, applied: Applied) -> list[int]:
    from pyspark.ml.feature import VarianceThresholdSelector

    threshold = float(applied.value)
    selector = VarianceThresholdSelector(featuresCol=vector, outputCol=output, varianceThreshold=threshold)
    return sorted(making.fit(selector).selectedFeatures)


def _by_test(making: Making, mixed: Mixed, output: str, applied: Applied) -> list[int]:
    from pyspark.ml.feature import UnivariateFeatureSelector

    target = making.target
    is_classified = target is not None and target.classes > 0
    is_chi_square = applied.word.choice == "chi_square"
    if is_chi_square:
        if not is_classified:
            what = f"'select: {{chi_square: …}}' of {named(mixed.members)} needs classes, and the label is a number"
            raise making.refuse(applied, what, "write select: {univariate: …}")
        _check_values(making, mixed.members, applied)
    selector = UnivariateFeatureSelector(
        featuresCol=mixed.vector, outputCol=output, labelCol=TARGET, **applied.params_of("UnivariateFeatureSelector")
    )
    selector.setFeatureType("categorical" if is_chi_square else "continuous")
    selector.setLabelType("categorical" if is_classified else "continuous")
    selector.setSelectionThreshold(float(applied.value))
    return sorted(making.fit(selector).selectedFeatures)


def _check_values(making: Making, members: Sequence[FeatureTransform], applied: Applied) -> None:
    """Refuse numbers that are no categories: each value of a slot is one to the chi-square test."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    columns = [
        (transform, column)
        for transform in members
        if transform.said("text") is None and not making.blocks[transform.column].values
        for column in making.blocks[transform.column].columns
    ]
    measures = []
    for number, (_, column) in enumerate(columns):
        is_vector = "vector" in dict(making.rows.dtypes)[column]
        lowest = sf.array_min(vector_to_array(sf.col(column))) if is_vector else sf.col(column)
        values = sf.lit(0) if is_vector else sf.count_distinct(column)
        measures += [sf.min(lowest).alias(f"lowest_{number}"), values.alias(f"values_{number}")]
    if not measures:
        return
    row = making.rows.agg(*measures).collect()[0]
    fix = "cut it into ranges with bucket: or quantiles:, encode it, or write select: {univariate: …}"
    for number, (transform, _) in enumerate(columns):
        what = f"'select: {{chi_square: …}}' takes each value of '{transform.column}' for a category, and it has "
        if row[f"lowest_{number}"] < 0:
            raise making.refuse(applied, f"{what}negative ones", fix)
        if row[f"values_{number}"] > MOST_VALUES:
            raise making.refuse(applied, f"{what}{row[f'values_{number}']} values, more than {MOST_VALUES}", fix)
