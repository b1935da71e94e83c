"""What is passed from maker to maker: rows and stages as they are made, and the columns that stand for each feature."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.chains import Applied, FeatureTransform
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.location import SourceLocation
from sqlml.ir.words import Kind
from sqlml.run.ml.features.learnt import Learnt, describe_stage, digest, outputs_of

if TYPE_CHECKING:
    from pyspark.ml import Transformer
    from pyspark.sql import DataFrame

# A value that is spelled like one of these is taken for it. Spark's encoder cannot name a slot by an empty string.
NULL_LABEL = "<null>"
EMPTY_LABEL = "<empty>"
OTHER_LABEL = "<other>"

FEATURES = "features"
TARGET = f"{INTERNAL_PREFIX}target"


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the vector: what it is called, and the features that it comes from."""

    name: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of the rows that stand for one feature, or for several that were put together.

    Attributes:
        columns: each a number, or one vector.
        slots: what they are in the vector of all features, in order.
        values: of an index: what each of its values means; empty for anything else.
    """

    columns: tuple[str, ...]
    slots: tuple[Slot, ...]
    values: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        """The only column."""
        (column,) = self.columns
        return column

    @property
    def features(self) -> tuple[str, ...]:
        """Whose slots these are, each once."""
        return tuple(dict.fromkeys(feature for slot in self.slots for feature in slot.features))


def block_of(column: str, names: Iterable[str], *features: str, values: tuple[str, ...] = ()) -> Block:
    """Return a block of one column whose slots come from the same features."""
    return Block((column,), tuple(Slot(name, features) for name in names), values)


@dataclass(frozen=True, slots=True)
class Target:
    """The label, for words that learn from it.

    Attributes:
        sql: gives it as a double; a class by its index.
        classes: how many classes there are; 0 for a number.
    """

    sql: str
    classes: int = 0


@dataclass(slots=True)
class Making:
    """The stages so far and the rows that come out of the last one.

    Attributes:
        sizes: array and vector features to their length.
        places: of the entries of `transforms:`, for errors in the data.
        blocks: feature to what stands for it now.
        indicators: feature to the column that says where it is null.
        labels: category to the values that have a slot of their own.
        arities: feature to the most values that a nominal slot of it takes.
        learnt: what other ways to make features of the same rows have learnt, and this one will have.
        origins: column that was made to the digest of how: equal ones hold the same.
    """

    rows: DataFrame
    transforms: Sequence[FeatureTransform]
    sizes: Mapping[str, int]
    target: Target | None
    places: Sequence[SourceLocation]
    stages: list[Transformer] = field(default_factory=list)
    blocks: dict[str, Block] = field(default_factory=dict)
    indicators: dict[str, str] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arities: dict[str, int] = field(default_factory=dict)
    learnt: Learnt = field(default_factory=Learnt)
    origins: dict[str, str] = field(default_factory=dict)

    def add(self, stage: Transformer, origin: str | None = None) -> None:
        """Append a stage, and let the rows pass it.

        Args:
            origin: the digest of what it does; None: its class and its params tell.
        """
        self.stages.append(stage)
        self.rows = stage.transform(self.rows)
        origin = describe_stage(stage, self.origins) if origin is None else origin
        self.origins |= {column: digest(origin, column) for column in outputs_of(stage)}

    def add_learnt(self, model: Any, column: str, *holds: Any) -> None:
        """Append a fitted stage that reads `column` and was made of what it holds."""
        self.add(model, digest(type(model).__name__, self.origins.get(column, column), holds))

    def fit(self, estimator: Any) -> Any:
        """Fit a stage to the rows, unless such a one was, append it and return it."""
        origin = describe_stage(estimator, self.origins)
        # As it stands in the rows now, which go on.
        rows = self.rows
        fitted = self.learnt.once(origin, lambda: estimator.fit(rows))
        self.add(fitted, origin)
        return fitted

    def select(self, columns: Mapping[str, str]) -> None:
        """Append a stage that adds columns (name to SQL), if there are any."""
        from pyspark.ml.feature import SQLTransformer

        if columns:
            added = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
            made = {name: digest(sql, self._read_by(sql)) for name, sql in columns.items()}
            self.add(SQLTransformer(statement=f"SELECT *, {added} FROM __THIS__"))
            self.origins |= made

    def _read_by(self, sql: str) -> list[tuple[str, str]]:
        # A name that is part of another's tells two apart that are the same, and never the other way round.
        return sorted((column, origin) for column, origin in self.origins.items() if column in sql)

    def hint_size(self, column: str, size: int) -> None:
        """Tell Spark how long a vector is, where the stage that made it did not: assembling asks for it."""
        from pyspark.ml.feature import VectorSizeHint

        if "num_attrs" not in self.rows.schema[column].metadata.get("ml_attr", {}):
            self.add(VectorSizeHint(inputCol=column, size=size, handleInvalid="optimistic"))

    def replace(self, transform: FeatureTransform, column: str, names: Iterable[str] | None = None) -> None:
        """Let one column stand for a feature; without `names` the slots stay what they were."""
        feature = transform.column
        block = self.blocks[feature]
        self.blocks[feature] = Block((column,), block.slots) if names is None else block_of(column, names, feature)

    def column_of(self, transform: FeatureTransform) -> str:
        """Return the only column that stands for a feature."""
        return self.blocks[transform.column].column

    def with_word(self, key: str, *choices: str) -> list[tuple[FeatureTransform, Applied]]:
        """Return the features with a word, and the word."""
        found = [(transform, transform.said(key)) for transform in self.transforms]
        return [
            (transform, applied)
            for transform, applied in found
            if applied is not None and (not choices or applied.word.choice in choices)
        ]

    def refuse(self, applied: Applied, what: str, fix: str) -> DataError:
        """Return the error for training rows that a word cannot learn from, at the entry that says it."""
        return DataError(what, self.places[applied.position] if applied.position >= 0 else None, fix)


def internal_name(index: int | str, column: str) -> str:
    """Return a column name that Spark's params take as it is and no relation has."""
    return f"{INTERNAL_PREFIX}{index}_{re.sub(r'[^0-9A-Za-z_]', '_', column)}"


def in_groups(
    said: Iterable[tuple[FeatureTransform, Applied]], *stages: str, learnt: Learnt | None = None
) -> Iterator[tuple[Any, dict[str, Any], list[FeatureTransform]]]:
    """Yield a word's value, the params of its stages and the features that share both: one stage does for all of them.

    Args:
        said: features and what is said of them.
        stages: classes whose params count; none: those of the word.
        learnt: keeps features apart of which something is tuned; None: they are not.
    """
    groups: dict[str, tuple[Any, dict[str, Any], list[FeatureTransform]]] = {}
    for transform, applied in said:
        used = stages or applied.word.stages
        params = {name: value for stage in used for name, value in applied.params_of(stage).items()}
        place = None if learnt is None else learnt.place_of(applied)
        key = repr((applied.value, sorted(params.items()), place))
        groups.setdefault(key, (applied.value, params, []))[2].append(transform)
    yield from groups.values()


def named(transforms: Iterable[FeatureTransform]) -> str:
    """Return the features' names for a message."""
    return ", ".join(f"'{transform.column}'" for transform in transforms)


def is_list(transform: FeatureTransform) -> bool:
    """Tell whether a feature begins as an array of numbers or a vector."""
    return transform.kind in (Kind.ARRAY, Kind.VECTOR)
