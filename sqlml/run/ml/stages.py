"""Makes Spark ML's feature stages: training rows and resolved transforms in, fitted stages and the slots' names out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.transforms import FeatureTransform, Kind
from sqlml.run.ml.sql_text import is_float, literal
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.ml import Transformer
    from pyspark.sql import DataFrame

# A value that is spelled like one of these is taken for it. Spark's encoder cannot name a slot by an empty string.
NULL_LABEL = "<null>"
EMPTY_LABEL = "<empty>"
OTHER_LABEL = "<other>"

FEATURES = "features"


@dataclass(frozen=True, slots=True)
class FeatureStages:
    """The fitted stages from a relation's columns to the vector `features`.

    Attributes:
        slots: the vector's slots by name: `distance`, `carrier=UA`, `carrier=<null>`, `carrier=<other>`, `weights[0]`;
            an indexed category has one slot.
        categories: category column to the values that have a slot of their own, most frequent first.
        arity: the most values that any indexed category takes; 0 without one.
    """

    stages: tuple[Transformer, ...]
    slots: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    arity: int


@dataclass(slots=True)
class _Making:
    """Stages as they are made, the rows that come out of the last one, and the column that stands for each feature."""

    rows: DataFrame
    stages: list[Transformer] = field(default_factory=list)
    column: dict[str, str] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, stage: Transformer) -> None:
        self.stages.append(stage)
        self.rows = stage.transform(self.rows)


def fit_features(rows: DataFrame, transforms: Sequence[FeatureTransform], sizes: Mapping[str, int]) -> FeatureStages:
    """Return the stages, learnt from `rows` alone.

    Args:
        rows: the training rows, laid out and persisted.
        transforms: one per feature.
        sizes: array and vector columns to their length.
    """
    from pyspark.ml.feature import SQLTransformer

    made = _Making(rows)
    names = {transform.column: _internal(index, transform.column) for index, transform in enumerate(transforms)}
    labels = _learn_labels(rows, transforms, names)
    modes = {
        transform.column: labels[transform.column][0]
        for transform in transforms
        if transform.encode and transform.impute == "mode"
    }
    made.add(SQLTransformer(statement=_statement(transforms, names, sizes, modes)))
    made.column |= names
    _impute(made, transforms)
    _index(made, transforms, labels)
    _hint_sizes(made, transforms, sizes)
    slots = _assemble(made, transforms, sizes)
    arity = max((len(made.labels[t.column]) + 1 for t in transforms if t.encode == "index"), default=0)
    return FeatureStages(tuple(made.stages), slots, labels, arity)


def _internal(index: int, column: str) -> str:
    """Return a column name that Spark's params take as it is and no relation has."""
    return f"{INTERNAL_PREFIX}{index}_{re.sub(r'[^0-9A-Za-z_]', '_', column)}"


def _statement(
    transforms: Sequence[FeatureTransform],
    names: Mapping[str, str],
    sizes: Mapping[str, int],
    modes: Mapping[str, str],
) -> str:
    """Return the SQL that casts every feature: `SELECT *, CAST(`x` AS DOUBLE) AS `__sqlml_0_x` … FROM __THIS__`."""
    columns = []
    for transform in transforms:
        name, source = names[transform.column], quote(transform.column)
        if transform.encode is not None:
            columns.append(f"{_category(transform, modes.get(transform.column))} AS {name}")
        elif transform.kind is Kind.ARRAY:
            size = sizes[transform.column]
            columns += [f"CAST(get({source}, {slot}) AS DOUBLE) AS {name}_{slot}" for slot in range(size)]
        elif transform.kind is Kind.VECTOR:
            columns.append(f"{source} AS {name}")
        else:
            columns.append(f"{_number(transform)} AS {name}")
    return f"SELECT *, {', '.join(columns)} FROM __THIS__"


def _number(transform: FeatureTransform) -> str:
    value = f"CAST({quote(transform.column)} AS DOUBLE)"
    if transform.fill is None:
        return value
    fill = f"CAST({literal(str(float(transform.fill)))} AS DOUBLE)"
    return f"coalesce(nanvl({value}, {fill}), {fill})" if is_float(transform.type) else f"coalesce({value}, {fill})"


def _category(transform: FeatureTransform, mode: str | None) -> str:
    source = quote(transform.column)
    value = f"CAST({source} AS STRING)"
    if is_float(transform.type):
        value = f"CASE WHEN NOT isnan({source}) THEN {value} END"
    null = NULL_LABEL
    if mode is not None:
        null = mode
    elif transform.fill is not None:
        null = str(transform.fill).lower() if isinstance(transform.fill, bool) else str(transform.fill)
    return f"coalesce(CASE WHEN {value} = '' THEN {literal(EMPTY_LABEL)} ELSE {value} END, {literal(null)})"


def _learn_labels(
    rows: DataFrame, transforms: Sequence[FeatureTransform], names: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return each category's most frequent values, nulls not counted, ties by the alphabet."""
    from pyspark.ml.feature import StringIndexer

    categories = [transform for transform in transforms if transform.encode is not None]
    if not categories:
        return {}
    texts = [f"{_category(transform, NULL_LABEL)} AS {names[transform.column]}" for transform in categories]
    columns = [names[transform.column] for transform in categories]
    indexer = StringIndexer(
        inputCols=columns,
        outputCols=[f"{name}_index" for name in columns],
        handleInvalid="keep",
        stringOrderType="frequencyDesc",
    )
    learnt = [
        tuple(label for label in labels if label != NULL_LABEL)
        for labels in indexer.fit(rows.selectExpr(*texts)).labelsArray
    ]
    return {t.column: labels[: t.max_categories] for t, labels in zip(categories, learnt, strict=True)}


def _impute(made: _Making, transforms: Sequence[FeatureTransform]) -> None:
    from pyspark.ml.feature import Imputer

    groups: dict[tuple[str, tuple[tuple[str, Any], ...]], list[str]] = {}
    for transform in transforms:
        if transform.impute is not None and transform.encode is None:
            group = (transform.impute, tuple(sorted(transform.params.get("impute", {}).items())))
            groups.setdefault(group, []).append(transform.column)
    for (strategy, params), columns in groups.items():
        inputs = [made.column[column] for column in columns]
        outputs = [f"{name}_filled" for name in inputs]
        made.add(Imputer(strategy=strategy, inputCols=inputs, outputCols=outputs, **dict(params)).fit(made.rows))
        made.column |= dict(zip(columns, outputs, strict=True))


def _index(made: _Making, transforms: Sequence[FeatureTransform], labels: Mapping[str, tuple[str, ...]]) -> None:
    """Index the categories, then encode those that are to be one-hot; Spark's extra index is the other slot."""
    from pyspark.ml.feature import OneHotEncoder, StringIndexerModel

    categories = [transform for transform in transforms if transform.encode is not None]
    if not categories:
        return
    for transform in categories:
        has_null_slot = transform.impute is None and transform.fill is None
        made.labels[transform.column] = labels[transform.column] + ((NULL_LABEL,) if has_null_slot else ())
    inputs = [made.column[transform.column] for transform in categories]
    outputs = [f"{name}_index" for name in inputs]
    for transform, column, output in zip(categories, inputs, outputs, strict=True):
        # One stage a column: pyspark pads arrays of labels of unequal length with nulls, on which one-hot fails.
        labels_of = list(made.labels[transform.column])
        made.add(StringIndexerModel.from_labels(labels_of, column, output, handleInvalid="keep"))
    made.column |= dict(zip([t.column for t in categories], outputs, strict=True))
    for drop_last in (False, True):
        columns = [t.column for t in categories if t.encode == "one_hot" and _drops_last(t) is drop_last]
        if columns:
            inputs = [made.column[column] for column in columns]
            outputs = [f"{name}_one_hot" for name in inputs]
            made.add(OneHotEncoder(inputCols=inputs, outputCols=outputs, dropLast=drop_last).fit(made.rows))
            made.column |= dict(zip(columns, outputs, strict=True))


def _drops_last(transform: FeatureTransform) -> bool:
    return bool(transform.params.get("encode", {}).get("dropLast", False))


def _hint_sizes(made: _Making, transforms: Sequence[FeatureTransform], sizes: Mapping[str, int]) -> None:
    """Tell Spark how long vectors are: a null one then becomes NaNs and its row stays."""
    from pyspark.ml.feature import VectorSizeHint

    for transform in transforms:
        if transform.kind is Kind.VECTOR:
            name = made.column[transform.column]
            made.add(VectorSizeHint(inputCol=name, size=sizes[transform.column], handleInvalid="optimistic"))


def _assemble(made: _Making, transforms: Sequence[FeatureTransform], sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Scale and assemble: the scaled blocks first, then all others, each in the order of the features."""
    from pyspark.ml.feature import VectorAssembler

    blocks: dict[tuple[str, tuple[tuple[str, Any], ...]], list[FeatureTransform]] = {}
    for transform in transforms:
        if transform.scale is not None:
            params = tuple(sorted(transform.params.get("scale", {}).items()))
            blocks.setdefault((transform.scale, params), []).append(transform)
    inputs: list[str] = []
    slots: list[str] = []
    for number, ((method, params), block) in enumerate(blocks.items()):
        raw, scaled = f"{INTERNAL_PREFIX}block_{number}", f"{INTERNAL_PREFIX}scaled_{number}"
        columns = [name for transform in block for name in _columns(made, transform, sizes)]
        made.add(VectorAssembler(inputCols=columns, outputCol=raw, handleInvalid="keep"))
        made.add(_scaler(method)(inputCol=raw, outputCol=scaled, **dict(params)).fit(made.rows))
        inputs.append(scaled)
        slots += [slot for transform in block for slot in _slots(made, transform, sizes)]
    for transform in transforms:
        if transform.scale is None:
            inputs += _columns(made, transform, sizes)
            slots += _slots(made, transform, sizes)
    made.add(VectorAssembler(inputCols=inputs, outputCol=FEATURES, handleInvalid="keep"))
    return tuple(slots)


def _columns(made: _Making, transform: FeatureTransform, sizes: Mapping[str, int]) -> list[str]:
    name = made.column[transform.column]
    if transform.kind is Kind.ARRAY:
        return [f"{name}_{slot}" for slot in range(sizes[transform.column])]
    return [name]


def _slots(made: _Making, transform: FeatureTransform, sizes: Mapping[str, int]) -> list[str]:
    column = transform.column
    if transform.encode == "one_hot":
        labels = made.labels[column] + (() if _drops_last(transform) else (OTHER_LABEL,))
        return [f"{column}={label}" for label in labels]
    if column in sizes:
        return [f"{column}[{slot}]" for slot in range(sizes[column])]
    return [column]


def _scaler(method: str) -> Any:
    from pyspark.ml import feature

    return {
        "standard": feature.StandardScaler,
        "min_max": feature.MinMaxScaler,
        "max_abs": feature.MaxAbsScaler,
        "robust": feature.RobustScaler,
    }[method]
