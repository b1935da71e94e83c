"""Numbers: imputed, clipped, binarized, cut into ranges; each maker adds the stages of all features with its word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from sqlml.ir.chains import FeatureTransform
from sqlml.run.ml.features.making import NULL_LABEL, Making, block_of, in_groups
from sqlml.run.ml.features.source_sql import clipped


def impute(making: Making) -> None:
    """Let the learnt mean, median or mode stand for null and NaN; for categories the mode has been put into the SQL."""
    from pyspark.ml.feature import Imputer

    said = [(t, applied) for t, applied in making.with_word("impute", "mean", "median", "mode") if not t.is_category]
    for strategy, params, transforms in in_groups(said, "Imputer", learnt=making.learnt):
        inputs = [making.column_of(transform) for transform in transforms]
        outputs = [f"{name}_filled" for name in inputs]
        making.fit(Imputer(strategy=strategy, inputCols=inputs, outputCols=outputs, **params))
        for transform, output in zip(transforms, outputs, strict=True):
            making.replace(transform, output)


def clip_imputed(making: Making) -> None:
    """Clip what was imputed by what was learnt; all else has been clipped in the SQL."""
    columns = {}
    for transform, applied in making.with_word("clip"):
        if transform.impute is not None:
            name = making.column_of(transform)
            columns[f"{name}_clipped"] = clipped(name, applied.value)
            making.replace(transform, f"{name}_clipped")
    making.select(columns)


def binarize(making: Making) -> None:
    """Make 0 and 1 of numbers."""
    from pyspark.ml.feature import Binarizer

    said = making.with_word("binarize")
    if not said:
        return
    inputs = [making.column_of(transform) for transform, _ in said]
    outputs = [f"{name}_binary" for name in inputs]
    thresholds = [float(applied.value) for _, applied in said]
    making.add(Binarizer(thresholds=thresholds, inputCols=inputs, outputCols=outputs))
    for (transform, _), output in zip(said, outputs, strict=True):
        making.replace(transform, output)


def cut_ranges(making: Making) -> None:
    """Cut numbers at the splits that were given; the first and the last range are open."""
    from pyspark.ml.feature import Bucketizer

    said = making.with_word("bucket")
    if not said:
        return
    transforms = [transform for transform, _ in said]
    splits = [open_ends(applied.value) for _, applied in said]
    inputs = [making.column_of(transform) for transform in transforms]
    outputs = [f"{name}_range" for name in inputs]
    making.add(Bucketizer(splitsArray=splits, inputCols=inputs, outputCols=outputs, handleInvalid="keep"))
    _note_ranges(making, transforms, outputs, splits)


def cut_quantiles(making: Making) -> None:
    """Cut numbers where equally many training rows are on both sides."""
    from pyspark.ml.feature import QuantileDiscretizer

    said = making.with_word("quantiles")
    for count, params, transforms in in_groups(said, "QuantileDiscretizer", learnt=making.learnt):
        inputs = [making.column_of(transform) for transform in transforms]
        outputs = [f"{name}_range" for name in inputs]
        fitted = making.fit(
            QuantileDiscretizer(
                numBucketsArray=[count] * len(inputs),
                inputCols=inputs,
                outputCols=outputs,
                handleInvalid="keep",
                **params,
            )
        )
        _note_ranges(making, transforms, outputs, fitted.getSplitsArray())


def open_ends(splits: Sequence[float]) -> list[float]:
    """Return the splits with an infinite one at both ends."""
    inner = [float(split) for split in splits if math.isfinite(split)]
    return [-math.inf, *inner, math.inf]


def range_labels(splits: Sequence[float]) -> list[str]:
    """Return what the ranges between splits are called: `(-inf,0)`, `[0,10)`, `[10,inf)`."""
    texts = [repr(split).removesuffix(".0") for split in splits]
    return [f"{'(' if low == '-inf' else '['}{low},{high})" for low, high in pairwise(texts)]


def _note_ranges(
    making: Making, transforms: Sequence[FeatureTransform], outputs: Sequence[str], splits: Sequence[Sequence[float]]
) -> None:
    for transform, output, cuts in zip(transforms, outputs, splits, strict=True):
        labels = range_labels(cuts)
        making.labels[transform.column] = tuple(labels)
        has_null = transform.said("impute") is None
        values = (*labels, NULL_LABEL) if has_null else tuple(labels)
        feature = transform.column
        making.blocks[feature] = block_of(output, (feature,), feature, values=values)
