"""The way of the rows: training rows and resolved transforms in, fitted stages from columns to one vector out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.chains import FeatureTransform
from sqlml.ir.location import SourceLocation
from sqlml.ir.transforms import TypeOf
from sqlml.run.failure import one_line
from sqlml.run.ml.features.categories import (
    encode_one_hot,
    encode_target,
    hash_categories,
    index_categories,
    index_slots,
    learn_categories,
    order_ranges,
)
from sqlml.run.ml.features.learnt import Learnt
from sqlml.run.ml.features.making import FEATURES, TARGET, Making, Target
from sqlml.run.ml.features.mixing import mix
from sqlml.run.ml.features.numbers import binarize, clip_imputed, cut_quantiles, cut_ranges, impute
from sqlml.run.ml.features.scaling import assemble, scaled_blocks
from sqlml.run.ml.features.source_sql import add_sources
from sqlml.run.ml.features.texts import count_words, embed_words, split_words

if TYPE_CHECKING:
    from pyspark.ml import Transformer
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class FeatureStages:
    """The fitted stages from a relation's columns to the vector `features`.

    Attributes:
        slots: the vector's slots by name: `distance`, `carrier=UA`, `carrier=<null>`, `carrier=<other>`, `weights[0]`;
            an indexed category has one slot.
        sources: for each slot the features that it comes from.
        categories: category column to the values that have a slot of their own, most frequent first.
        arities: feature to the most values that a slot of it takes, where those are nominal.
    """

    stages: tuple[Transformer, ...]
    slots: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    categories: Mapping[str, tuple[str, ...]]
    arities: Mapping[str, int]


MAKERS: tuple[Callable[[Making], None], ...] = (
    impute,
    clip_imputed,
    binarize,
    cut_ranges,
    cut_quantiles,
    index_categories,
    order_ranges,
    encode_one_hot,
    encode_target,
    hash_categories,
    split_words,
    count_words,
    embed_words,
    index_slots,
)
"""Who makes the stages after the first, in the order of the words; each makes those of all features with its word."""


def fit_features(
    rows: DataFrame,
    transforms: Sequence[FeatureTransform],
    sizes: Mapping[str, int],
    target: Target | None = None,
    places: Sequence[SourceLocation] = (),
    *,
    learnt: Learnt | None = None,
) -> FeatureStages:
    """Return the stages, learnt from `rows` alone.

    Args:
        rows: the training rows, laid out and persisted.
        transforms: one per feature.
        sizes: array and vector columns to their length.
        target: the label, if there is one.
        places: of the entries of `transforms:` in the user's file.
        learnt: what other transforms have learnt from these rows, and keeps what these learn.

    Raises:
        DataError: what a word cannot learn from; the feature is named.
    """
    from pyspark.sql import functions as sf

    supervised = any(
        applied.word.is_supervised
        for transform in transforms
        for applied in (*transform.words, *(transform.mixing.words if transform.mixing else ()))
    )
    if supervised and target is not None:
        rows = rows.withColumn(TARGET, sf.expr(target.sql))
    making = Making(rows, transforms, sizes, target, places, learnt=learnt or Learnt())
    add_sources(making, learn_categories(making))
    for make in MAKERS:
        make(making)
    blocks = scaled_blocks(making, mix(making))
    assemble(making, [column for block in blocks for column in block.columns], FEATURES)
    slots = [slot for block in blocks for slot in block.slots]
    return FeatureStages(
        tuple(making.stages),
        tuple(slot.name for slot in slots),
        tuple(slot.features for slot in slots),
        making.labels,
        making.arities,
    )


def expression_types(rows: DataFrame) -> TypeOf:
    """Return what gives the Spark type of an `expr:` over a column of `rows`.

    Raises:
        DataError: by what is returned: Spark cannot read the SQL.
    """
    from pyspark.errors import PySparkException

    def type_of(column: str, sql: str) -> str:
        try:
            # Beside all columns, where an aggregate may not stand.
            return rows.selectExpr("*", f"({sql}) AS made").schema[-1].dataType.simpleString()
        except PySparkException as error:
            reason = one_line(str(error))
            raise DataError(f"the expr: of '{column}' cannot be computed: {reason}", None, f"it is: {sql}") from error

    return type_of
