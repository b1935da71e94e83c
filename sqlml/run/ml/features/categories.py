"""Categories: their values learnt, indexed, and encoded in the way that was said."""

from __future__ import annotations

from sqlml.ir.chains import Applied, FeatureTransform
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.words import Kind
from sqlml.run.ml.features.learnt import digest
from sqlml.run.ml.features.making import (
    NULL_LABEL,
    OTHER_LABEL,
    TARGET,
    Making,
    block_of,
    in_groups,
    internal_name,
    is_list,
    named,
)
from sqlml.run.ml.features.scaling import assemble
from sqlml.run.ml.features.source_sql import category_text, fill_text, known_text

_MOST_FREQUENT = "frequencyDesc"


def learn_categories(making: Making) -> dict[str, str]:
    """Note the values of each category that get a slot of their own, and return the SQL of its texts.

    They are the most frequent ones, nulls not counted, ties by the alphabet.
    """
    texts = {}
    values = _learn_values(making, _MOST_FREQUENT)
    sorted_values: dict[str, dict[str, tuple[str, ...]]] = {}
    for transform in making.transforms:
        if not transform.is_category:
            continue
        if transform.value("encode") == "hash":
            null = fill_text(transform) or NULL_LABEL
            texts[transform.column] = category_text(transform, null)
            continue
        known = values[transform.column]
        kept = known[: transform.max_categories]
        order = _order_of(transform)
        if order != _MOST_FREQUENT:
            if order not in sorted_values:
                sorted_values[order] = _learn_values(making, order)
            kept = tuple(value for value in sorted_values[order][transform.column] if value in set(kept))
        null = known[0] if transform.impute == "mode" and known else fill_text(transform) or NULL_LABEL
        making.labels[transform.column] = kept if null in (*kept, NULL_LABEL) else (*kept, null)
        known_ones = (*(known if transform.unseen == "error" else kept), null)
        texts[transform.column] = known_text(transform, category_text(transform, null), known_ones, null)
    return texts


def _order_of(transform: FeatureTransform) -> str:
    applied = transform.said("encode")
    return _MOST_FREQUENT if applied is None else str(applied.params.get("stringOrderType", _MOST_FREQUENT))


def _learn_values(making: Making, order: str) -> dict[str, tuple[str, ...]]:
    """Return all values of each category in an order of Spark's, without null."""
    from pyspark.ml.feature import StringIndexer

    found = [
        (internal_name(index, transform.column), transform)
        for index, transform in enumerate(making.transforms)
        if transform.is_category and transform.value("encode") != "hash"
    ]
    if not found:
        return {}
    names = [name for name, _ in found]
    texts = [f"{category_text(transform, NULL_LABEL)} AS {name}" for name, transform in found]
    indexer = StringIndexer(
        inputCols=names,
        outputCols=[f"{name}_index" for name in names],
        handleInvalid="keep",
        stringOrderType=order,
    )
    labels = making.learnt.once(
        digest("values", texts, order), lambda: indexer.fit(making.rows.selectExpr(*texts)).labelsArray
    )
    return {
        transform.column: tuple(label for label in own if label not in _reserved(transform))
        for (_, transform), own in zip(found, labels, strict=True)
    }


def _reserved(transform: FeatureTransform) -> tuple[str, ...]:
    return (NULL_LABEL, OTHER_LABEL) if transform.unseen == "other" else (NULL_LABEL,)


def index_categories(making: Making) -> None:
    """Index the categories; Spark's extra index is the other slot, or the null's where the unseen count as null."""
    from pyspark.ml.feature import StringIndexerModel

    for transform in making.transforms:
        if not transform.is_category or transform.value("encode") == "hash":
            continue
        is_imputed = transform.said("impute") is not None
        is_null = transform.unseen == "null"
        labels = making.labels[transform.column]
        labels = labels if is_imputed or is_null else (*labels, NULL_LABEL)
        extra = () if is_imputed and is_null else (NULL_LABEL,) if is_null else (OTHER_LABEL,)
        name = making.column_of(transform)
        # One stage a column: pyspark pads arrays of labels of unequal length with nulls, on which one-hot fails.
        invalid = "keep" if extra else "error"
        model = StringIndexerModel.from_labels(list(labels), name, f"{name}_index", handleInvalid=invalid)
        making.add_learnt(model, name, labels, invalid)
        feature = transform.column
        making.blocks[feature] = block_of(f"{name}_index", (feature,), feature, values=(*labels, *extra))
        if transform.value("encode") == "index":
            making.arities[transform.column] = len(labels) + len(extra)


def order_ranges(making: Making) -> None:
    """Let indexed ranges be numbers in their order, null the last: Spark calls them nominal, and forgets the null."""
    columns = {}
    for transform, _ in making.with_word("encode", "index"):
        if transform.is_range:
            name = making.column_of(transform)
            columns[f"{name}_order"] = f"{name} + 0D"
            making.replace(transform, f"{name}_order")
    making.select(columns)


def encode_one_hot(making: Making) -> None:
    """Give each index a 0/1 slot; a range keeps one for null if it may be null."""
    from pyspark.ml.feature import OneHotEncoder

    said = making.with_word("encode", "one_hot")
    for drop_last in (False, True):
        for invalid in ("error", "keep"):
            chosen = [
                transform
                for transform, applied in said
                if bool(applied.params_of("OneHotEncoder")["dropLast"]) is drop_last and _invalid(transform) == invalid
            ]
            if chosen:
                inputs = [making.column_of(transform) for transform in chosen]
                outputs = [f"{name}_one_hot" for name in inputs]
                making.fit(
                    OneHotEncoder(inputCols=inputs, outputCols=outputs, dropLast=drop_last, handleInvalid=invalid)
                )
                for transform, output in zip(chosen, outputs, strict=True):
                    values = making.blocks[transform.column].values
                    kept = values[:-1] if drop_last else values
                    making.replace(transform, output, [f"{transform.column}={value}" for value in kept])


def _invalid(transform: FeatureTransform) -> str:
    return "keep" if transform.is_range and transform.said("impute") is None else "error"


def encode_target(making: Making) -> None:
    """Let the mean label of its category stand for each value."""
    from pyspark.ml.feature import TargetEncoder

    said = making.with_word("encode", "target")
    if not said:
        return
    transforms = [transform for transform, _ in said]
    target = making.target
    if target is None or target.classes > 2:
        count = "none" if target is None else f"{target.classes} classes"
        what = f"'encode: target' of {named(transforms)} needs a label that is a number or of two classes; there are "
        raise making.refuse(said[0][1], what + count, "take encode: one_hot or index")
    columns = {}
    for _, params, group in in_groups(said, "TargetEncoder", learnt=making.learnt):
        inputs = [making.column_of(transform) for transform in group]
        outputs = [f"{name}_target" for name in inputs]
        making.fit(
            TargetEncoder(
                inputCols=inputs,
                outputCols=outputs,
                labelCol=TARGET,
                targetType="binary" if target.classes else "continuous",
                handleInvalid="keep",
                **params,
            )
        )
        for transform, output in zip(group, outputs, strict=True):
            # Spark calls the means nominal, on which trees fail.
            columns[f"{output}_mean"] = f"{output} + 0D"
            making.replace(transform, f"{output}_mean")
    making.select(columns)


def hash_categories(making: Making) -> None:
    """Hash the values of an entry's columns into one vector."""
    from pyspark.ml.feature import FeatureHasher

    shared: dict[tuple[int, int | None], list[FeatureTransform]] = {}
    said: dict[str, Applied] = {}
    for transform, applied in making.with_word("encode", "hash"):
        group = None if transform.mixing is None else transform.mixing.position
        shared.setdefault((applied.position, group), []).append(transform)
        said[transform.column] = applied
    for transforms in shared.values():
        params = said[transforms[0].column].params_of("FeatureHasher")
        inputs = [making.column_of(transform) for transform in transforms]
        output = f"{inputs[0]}_hash"
        making.add(FeatureHasher(inputCols=inputs, outputCol=output, **params))
        features = tuple(transform.column for transform in transforms)
        names = [f"{'+'.join(features)}#{slot}" for slot in range(int(params["numFeatures"]))]
        block = block_of(output, names, *features)
        making.blocks |= dict.fromkeys(features, block)


def index_slots(making: Making) -> None:
    """Index the slots of arrays and vectors that have few values; tell Spark how long vectors are.

    A null vector then becomes NaNs, and its row stays.
    """
    from pyspark.ml.feature import VectorIndexer, VectorSizeHint

    for transform in making.transforms:
        if transform.kind is Kind.VECTOR:
            size = making.sizes[transform.column]
            name = making.column_of(transform)
            making.add(VectorSizeHint(inputCol=name, size=size, handleInvalid="optimistic"))
    for transform, _ in making.with_word("encode", "index"):
        if not is_list(transform):
            continue
        block = making.blocks[transform.column]
        raw = assemble(making, block.columns, f"{INTERNAL_PREFIX}slots_{making.transforms.index(transform)}")
        indexer = VectorIndexer(
            maxCategories=transform.max_categories or 2, inputCol=raw, outputCol=f"{raw}_index", handleInvalid="keep"
        )
        fitted = making.fit(indexer)
        making.replace(transform, f"{raw}_index")
        making.arities[transform.column] = max((len(values) + 1 for values in fitted.categoryMaps.values()), default=0)
